// The extension for Minima: starts `minima lsp`, and runs programs in a terminal.

const path = require("path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

// The command, as the settings name it. A relative path is one of the first folder.
function command() {
  const found = vscode.workspace.getConfiguration("minima").get("path") || "minima";
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const relative = /[\\/]/.test(found) && !path.isAbsolute(found);
  return relative && folder ? path.join(folder, found) : found;
}

async function start() {
  const server = { command: command(), args: ["lsp"] };
  const data = vscode.workspace.createFileSystemWatcher("**/*.{opt,csv,tsv,npy,npz,json}");
  client = new LanguageClient("minima", "Minima", server, {
    documentSelector: [{ language: "minima" }],
    // What a program reads may change beside it.
    synchronize: { fileEvents: data },
  });
  try {
    await client.start();
  } catch (error) {
    const settings = "Open settings";
    const message = `Minima: \`${server.command} lsp\` does not start (${error.message}). Set minima.path to the compiler.`;
    if ((await vscode.window.showErrorMessage(message, settings)) === settings) {
      vscode.commands.executeCommand("workbench.action.openSettings", "minima.path");
    }
  }
}

async function stop() {
  const running = client;
  client = undefined;
  // One that never started cannot be stopped.
  await running?.stop().catch(() => undefined);
}

// Runs the program of the active editor in a terminal, in its own folder.
async function run() {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== "minima" || document.uri.scheme !== "file") {
    vscode.window.showInformationMessage("Minima: open a program that is saved as a file.");
    return;
  }
  await document.save();
  const file = document.uri.fsPath;
  const execution = new vscode.ProcessExecution(command(), ["run", path.basename(file)], { cwd: path.dirname(file) });
  const definition = { type: "process", file };
  const task = new vscode.Task(definition, vscode.TaskScope.Workspace, path.basename(file), "minima", execution);
  task.presentationOptions = { clear: true, showReuseMessage: false };
  await vscode.tasks.executeTask(task);
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("minima.run", run),
    vscode.commands.registerCommand("minima.restart", async () => {
      await stop();
      await start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("minima.path")) {
        await stop();
        await start();
      }
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
