/** What a validator is called on: a node, with its texts. */
export interface Validated {
  id: string;
  _(key: string, values?: Record<string, string>): string;
}

type Validate = (this: unknown, value: string) => boolean;

/**
 * Makes a validator whose problem is shown as a tooltip, on the input and on the node. Node-RED
 * gives a second parameter where a text may come back; its published types know of a boolean only.
 *
 * @param findProblem gives what to say to the user, `undefined` where all is well
 */
export function validator(findProblem: (node: Validated, value: unknown) => string | undefined): Validate {
  const validate = function (this: Validated, value: unknown, options: unknown) {
    const problem = findProblem(this, value);
    return problem === undefined || (options ? problem : false);
  };
  return validate as unknown as Validate;
}

/**
 * Makes a validator that marks the node and no input: for what is wrong with something that has no
 * input of its own. Node-RED takes a list of problems for the node alone.
 *
 * @param findProblem likewise
 */
export function nodeValidator(findProblem: (node: Validated) => string | undefined): Validate {
  const validate = function (this: Validated, _value: unknown, options: unknown) {
    const problem = findProblem(this);
    return problem === undefined || (options ? [problem] : false);
  };
  return validate as unknown as Validate;
}

/** The sign before what is wrong. */
export function warning(): JQuery {
  return $("<i>", { class: "fa fa-exclamation-triangle", style: "margin-right: 6px", "aria-hidden": "true" });
}
