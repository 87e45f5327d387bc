// What Node gives for a name by dns.lookup or dns.resolve4.
const dns = require("dns");
const [, , call, name] = process.argv;
const start = Date.now();
const said = (error, found) =>
  console.log(`${Date.now() - start}ms ${error ? error.code : JSON.stringify(found)}`);
if (call === "lookup") dns.lookup(name, { all: true }, said);
else dns.resolve4(name, said);
