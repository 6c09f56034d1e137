// The language server, as the libraries of Visual Studio Code speak to it. Run by hand: npm test
// MINIMA names the compiler; without it that of the working tree is taken.

const assert = require("assert");
const { spawn } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");
const rpc = require("vscode-jsonrpc/node");
const lsp = require("vscode-languageserver-protocol");

const TEXT = `/// A bowl.
fn bowl(x: real[n]) = sum((x[i] - 1)^2 for i in 0..n)
let A = [[1.0, 2.0], [3.0, 4.0]]
let fit = minimize bowl(x) over x = zeros[2] using adam(lr = 0.1) until steps >= 10
print "😀", fti.x, A
`;

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "minima-"));
  const built = ["release", "debug"].map((kind) => path.join(__dirname, "../../../target", kind, "minima"));
  const command = process.env.MINIMA || built.find((file) => fs.existsSync(file)) || "minima";
  const server = spawn(command, ["lsp"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, MINIMA_CACHE: folder },
  });
  const ended = new Promise((resolve) => server.on("exit", resolve));
  const reader = new rpc.StreamMessageReader(server.stdout);
  const connection = lsp.createProtocolConnection(reader, new rpc.StreamMessageWriter(server.stdin));
  const told = [];
  let tell;
  connection.onNotification(lsp.PublishDiagnosticsNotification.type, (params) => {
    told.push(params);
    tell?.();
  });
  const diagnostics = async (version) => {
    for (;;) {
      const found = told.find((params) => params.version === version);
      if (found) return found.diagnostics;
      await new Promise((resolve) => (tell = resolve));
    }
  };
  connection.listen();
  const hello = await connection.sendRequest(lsp.InitializeRequest.type, {
    processId: process.pid,
    rootUri: null,
    capabilities: { textDocument: { publishDiagnostics: { relatedInformation: true } } },
  });
  assert.strictEqual(hello.serverInfo.name, "minima");
  assert.strictEqual(hello.capabilities.positionEncoding, "utf-16");
  await connection.sendNotification(lsp.InitializedNotification.type, {});
  const uri = `file://${folder}/main.opt`;
  let text = TEXT;
  await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: "minima", version: 1, text },
  });
  const broken = await diagnostics(1);
  assert.strictEqual(broken.length, 1);
  assert(lsp.Diagnostic.is(broken[0]), JSON.stringify(broken));
  const textDocument = { uri };
  const range = lsp.Range.create(0, 0, 99, 0);
  const actions = await connection.sendRequest(lsp.CodeActionRequest.type, {
    textDocument, range, context: { diagnostics: broken },
  });
  assert(actions.length === 1 && lsp.CodeAction.is(actions[0]), JSON.stringify(actions));
  const [edit] = actions[0].edit.changes[uri];
  await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: 2 }, contentChanges: [{ range: edit.range, text: edit.newText }],
  });
  assert.deepStrictEqual(await diagnostics(2), []);
  const at = (line, character) => ({ textDocument, position: { line, character } });
  const hover = await connection.sendRequest(lsp.HoverRequest.type, at(2, 4));
  assert(lsp.Hover.is(hover) && hover.contents.value.includes("let A: real[2, 2]"), JSON.stringify(hover));
  const offered = await connection.sendRequest(lsp.CompletionRequest.type, at(3, 56));
  assert(offered.items.every((item) => typeof item.label === "string" && lsp.TextEdit.is(item.textEdit)));
  assert(offered.items.some((item) => item.label === "b1 = "), JSON.stringify(offered.items.slice(0, 5)));
  const page = await connection.sendRequest(lsp.CompletionResolveRequest.type, { label: "adam", data: "adam" });
  assert(page.documentation.value.includes("Kingma"));
  const signature = await connection.sendRequest(lsp.SignatureHelpRequest.type, at(3, 56));
  assert.strictEqual(signature.activeParameter, 0);
  const place = await connection.sendRequest(lsp.DefinitionRequest.type, at(3, 21));
  assert(lsp.Location.is(place) && place.range.start.line === 1, JSON.stringify(place));
  const library = await connection.sendRequest(lsp.DefinitionRequest.type, at(3, 52));
  assert(library.uri.endsWith("/stdlib/optim/adam.opt"), JSON.stringify(library));
  const uses = await connection.sendRequest(lsp.ReferencesRequest.type, {
    ...at(3, 4), context: { includeDeclaration: true },
  });
  assert.strictEqual(uses.length, 2);
  const lit = await connection.sendRequest(lsp.DocumentHighlightRequest.type, at(3, 4));
  assert(lit.every((one) => lsp.Range.is(one.range)) && lit.length === 2);
  const named = await connection.sendRequest(lsp.PrepareRenameRequest.type, at(3, 4));
  assert.strictEqual(named.placeholder, "fit");
  const renamed = await connection.sendRequest(lsp.RenameRequest.type, { ...at(3, 4), newName: "answer" });
  assert(lsp.WorkspaceEdit.is(renamed) && renamed.changes[uri].length === 2);
  await assert.rejects(
    connection.sendRequest(lsp.RenameRequest.type, { ...at(3, 52), newName: "x" }),
    /of the standard library/,
  );
  const symbols = await connection.sendRequest(lsp.DocumentSymbolRequest.type, { textDocument });
  assert(symbols.every((one) => lsp.DocumentSymbol.is(one)), JSON.stringify(symbols));
  const folds = await connection.sendRequest(lsp.FoldingRangeRequest.type, { textDocument });
  assert.deepStrictEqual(folds, []);
  const hints = await connection.sendRequest(lsp.InlayHintRequest.type, { textDocument, range });
  assert(hints.length > 0 && hints.every((one) => lsp.InlayHint.is(one)), JSON.stringify(hints));
  const tokens = await connection.sendRequest(lsp.SemanticTokensRequest.type, { textDocument });
  assert(lsp.SemanticTokens.is(tokens) && tokens.data.length % 5 === 0);
  const formed = await connection.sendRequest(lsp.DocumentFormattingRequest.type, {
    textDocument, options: { tabSize: 2, insertSpaces: true },
  });
  assert(formed.every((one) => lsp.TextEdit.is(one)));
  await assert.rejects(connection.sendRequest("minima/unknown", {}), (error) => error.code === rpc.ErrorCodes.MethodNotFound);
  await connection.sendRequest(lsp.ShutdownRequest.type);
  await connection.sendNotification(lsp.ExitNotification.type);
  assert.strictEqual(await ended, 0);
  fs.rmSync(folder, { recursive: true, force: true });
  console.log("client: all answers are those of the protocol");
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
