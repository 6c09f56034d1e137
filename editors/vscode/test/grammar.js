// The grammar gives the words of a program their scopes. Run by hand: npm test

const assert = require("assert");
const fs = require("fs");
const path = require("path");
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const SAMPLE = `/// Adam.
optimizer adam(lr: real in (0, inf) = 1e-3, base: optimizer) {
  state m = 0*x
  step {
    stop slow_progress if norm(g) == 0
    x -= lr*m'
  }
}
objective line(X: real[n, d]) {
  param w: real[d] = 0 // a comment
  minimize mean((dot(x, w) - t)^2 for (x, t) in X)
  report miss = sqrt(2)
}
let fit = solve line(A) using adam(b1 = 0.9) until steps >= 10_000 with batch = 64
import "a \\"b\\".opt" as m
save fit.w to "w.npz"
let step = 1..2
let type = report + state
`;

// Each: a line, a word in it, the end of its innermost scope.
const WANTED = [
  [0, "/// Adam.", "comment.line.documentation"],
  [1, "optimizer", "storage.type"],
  [1, "adam", "entity.name.class"],
  [1, "real", "support.type"],
  [1, "inf", "constant.language"],
  [1, "1e-3", "constant.numeric"],
  [2, "state", "storage.modifier"],
  [2, "m", "variable.other.definition"],
  [3, "step", "keyword.other"],
  [4, "stop", "keyword.control"],
  [4, "slow_progress", "constant.language"],
  [4, "norm", "entity.name.function.call"],
  [5, "-=", "keyword.operator.assignment"],
  [5, "'", "keyword.operator.arithmetic"],
  [8, "objective", "storage.type"],
  [9, "param", "storage.modifier"],
  [9, "// a comment", "comment.line.double-slash"],
  [10, "minimize", "keyword.control.solve"],
  [10, "for", "keyword.control"],
  [11, "report", "storage.modifier"],
  [13, "let", "storage.type"],
  [13, "solve", "keyword.control.solve"],
  [13, "b1", "variable.parameter"],
  [13, "10_000", "constant.numeric"],
  [14, "import", "keyword.control.import"],
  [14, '\\"', "constant.character.escape"],
  [14, "m", "entity.name.namespace"],
  [15, "w", "variable.other.property"],
  [15, "to", "keyword.other"],
  [16, "step", "variable.other"],
  [16, "..", "keyword.operator.range"],
  [17, "type", "variable.other"],
  [17, "report", "variable.other"],
];

async function main() {
  const wasm = fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const file = path.join(__dirname, "../syntaxes/minima.tmLanguage.json");
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(fs.readFileSync(file, "utf8"), file),
  });
  const grammar = await registry.loadGrammar("source.minima");
  const scopes = (text) => {
    let stack = textmate.INITIAL;
    return text.split("\n").map((line) => {
      const found = grammar.tokenizeLine(line, stack);
      stack = found.ruleStack;
      return found.tokens.map((token) => ({
        text: line.slice(token.startIndex, token.endIndex),
        scope: token.scopes[token.scopes.length - 1],
        whole: token.scopes,
      }));
    });
  };
  const lines = scopes(SAMPLE);
  for (const [line, word, scope] of WANTED) {
    const comment = word.startsWith("//");
    const found = lines[line].filter((token) => (comment ? token.text.includes(word) : token.text.trim() === word));
    const said = found.map((token) => token.scope).join(", ") || "nothing";
    assert(found.some((token) => token.scope === `${scope}.minima`), `line ${line}: ${word} is ${said}, not ${scope}`);
  }
  // No program of the examples leaves a string or a comment open.
  const folder = path.join(__dirname, "../../../examples");
  let count = 0;
  for (const name of fs.readdirSync(folder).filter((name) => name.endsWith(".opt"))) {
    const text = fs.readFileSync(path.join(folder, name), "utf8") + "\nlet last = 1";
    const last = scopes(text).pop();
    assert.deepStrictEqual(last.map((token) => token.scope)[0], "storage.type.minima", name);
    count += 1;
  }
  console.log(`grammar: ${WANTED.length} words, ${count} programs`);
}

main();
