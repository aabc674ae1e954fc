/**
 * What a flow leaves out has a default, which a dialog shows, and Node-RED would save with the first
 * press on Done. So that a node keeps what was not touched: in `oneditprepare` a dialog remembers what
 * its inputs show, and in `oneditsave` those that still show it are kept from being saved.
 *
 * @param properties of a node, or credentials, each with its `#node-input-…`
 * @param prefix of a config node: `node-config-input`
 */
export function rememberInputs(properties: string[], prefix = "node-input"): void {
  inputsOf(properties, prefix).each((_, input) => {
    $(input).data("radaro-shown", shown(input));
  });
}

/** Keeps the inputs from being saved that show what they did when they were remembered. */
export function keepUntouched(properties: string[], prefix = "node-input"): void {
  inputsOf(properties, prefix).each((_, input) => {
    // The editor saves what it finds by its id.
    if (shown(input) === $(input).data("radaro-shown")) $(input).removeAttr("id");
  });
}

function inputsOf(properties: string[], prefix: string): JQuery {
  return $(properties.map((property) => `#${prefix}-${property}`).join(", "));
}

function shown(input: HTMLElement): string {
  return String($(input).is(":checkbox") ? $(input).prop("checked") : $(input).val());
}
