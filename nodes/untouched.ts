/**
 * Lets a dialog change nothing but what the user changes. Node-RED reads every input back into the
 * node: a property or credential that was absent would become `""`, and one of another type a text.
 *
 * @param properties of the node, as its `defaults` and `credentials` name them
 * @param prefix of the inputs' ids
 * @returns to be called in `oneditsave`: what was not touched has no input any more that could be read
 */
export function watchInputs(properties: string[], prefix: "node-input" | "node-config-input"): () => void {
  const valueOf = (input: JQuery) => (input.is(":checkbox") ? input.prop("checked") : input.val()) as unknown;
  const shown = properties.map((property) => {
    const input = $(`#${prefix}-${property}`);
    return { input, value: valueOf(input) };
  });
  return () => {
    for (const { input, value } of shown) if (valueOf(input) === value) input.removeAttr("id");
  };
}
