// Starts `ringway lsp` for route files; colours and snippets work without it.

const vscode = require("vscode");

let client;

exports.activate = async function () {
    const { LanguageClient } = require("vscode-languageclient/node");
    const command = vscode.workspace.getConfiguration("ringway").get("command");
    client = new LanguageClient(
        "ringway",
        "Ringway",
        { command, args: ["lsp"] },
        {
            documentSelector: [{ language: "ringway-route" }],
            synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/ringway.toml") },
        },
    );
    try {
        await client.start();
    } catch (error) {
        vscode.window.showWarningMessage(
            `Ringway: "${command} lsp" did not start (${error.message}). Is it installed? pip install "ringway[lsp]"`,
        );
    }
};

exports.deactivate = () => client && client.stop();
