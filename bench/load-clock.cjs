// Loaded into Node-RED before all else: measures what loading node modules takes, from the first
// require to the end of the first node's constructor, and prints it when Node-RED ends.
const Module = require("node:module");

const watched = {
  ours: /node-red-contrib-radaro[\\/]dist[\\/][^\\/]+\.js$/,
  core: /21-httpin\.js$/,
};
const spent = { ours: { loading: 0, first: 0 }, core: { loading: 0, first: 0 } };

function timed(totals, key, run) {
  const begun = performance.now();
  try {
    return run();
  } finally {
    totals[key] += performance.now() - begun;
  }
}

const load = Module._load;
let watching = false;
Module._load = function (request, parent, isMain) {
  const [name] = watching ? [] : Object.keys(watched).filter((name) => watched[name].test(request));
  if (!name) return load.call(this, request, parent, isMain);
  watching = true;
  const register = timed(spent[name], "loading", () => load.call(this, request, parent, isMain));
  watching = false;
  return (RED) => {
    const registerType = (type, constructor, options) => {
      let isFirst = true;
      RED.nodes.registerType(
        type,
        function (def) {
          if (!isFirst) return constructor.call(this, def);
          isFirst = false;
          return timed(spent[name], "first", () => constructor.call(this, def));
        },
        options,
      );
    };
    timed(spent[name], "loading", () =>
      register({ ...RED, _: RED._, nodes: { ...RED.nodes, registerType } }),
    );
  };
};

process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  console.log(`load clock ${JSON.stringify({ ...spent, cpu: (user + system) / 1000 })}`);
});
