/** What a validator is called on: a node, with its texts. */
interface Validated {
  _(key: string, values?: Record<string, string>): string;
}

/**
 * Makes a validator whose problem is shown as a tooltip, on the input and on the node. Node-RED
 * gives a second parameter where a text may come back; its published types know of a boolean only.
 *
 * @param findProblem gives what to say to the user, `undefined` where all is well
 */
export function validator(findProblem: (node: Validated, value: unknown) => string | undefined) {
  const validate = function (this: Validated, value: unknown, options: unknown) {
    const problem = findProblem(this, value);
    return problem === undefined || (options ? problem : false);
  };
  return validate as unknown as (this: unknown, value: string) => boolean;
}
