using System.CommandLine.Help;
using System.CommandLine.Invocation;
using ClaimCheck.Cli.Commands;

namespace ClaimCheck.Cli;

/// <summary>The command line as a whole.</summary>
internal static class Tool
{
    private const string Description =
        "Requests exports from a ClaimCheck service; watches, downloads and revokes them. Results go to standard output, "
        + "progress and messages to standard error.";

    private const string Notes = """
        The service and the key:
          --profile NAME, or --url with --key-file; else CLAIMCHECK_URL with CLAIMCHECK_KEY; else CLAIMCHECK_PROFILE or the
          default of ~/.config/claimcheck/config.json ($XDG_CONFIG_HOME is honoured); else http://127.0.0.1:8080 without a key.
          { "default": "prod",
            "profiles": { "prod": { "url": "https://exports.example", "keyFile": "~/.config/claimcheck/prod.key" } } }
          "key" in place of "keyFile" holds the key itself. A file with a key is refused when others than its owner can read it.
          A profile's key goes to that profile's address alone.

        Links are capabilities: everybody who sees one can read the data. They are printed without their signature, "?[redacted]".

        """;

    public static async Task<int> RunAsync(string[] args, CancellationToken cancellationToken)
    {
        // No response files: an argument that begins with @ is what it says.
        var parsed = Root().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction or null
            || (parsed.Errors.Count > 0 && parsed.Action is not (HelpAction or WithNotes)))
        {
            var screen = new Screen(parsed.GetValue(GlobalOptions.Json));
            var help = $"claimcheck{string.Concat(Path(parsed.CommandResult.Command).Select(name => " " + name))} --help";
            var errors = parsed.Errors.Select(error => error.Message).DefaultIfEmpty("No command was given.");
            screen.Fail(new Failure(ExitCodes.Usage, "usage", $"{string.Join(' ', errors)} See '{help}'."));
            return ExitCodes.Usage;
        }
        return await parsed.InvokeAsync(
            new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null },
            cancellationToken);
    }

    private static RootCommand Root()
    {
        var root = new RootCommand(Description)
        {
            DatasetsCommand.Make(),
            ExportCommand.Make(),
            StatusCommand.Make(),
            ListCommand.Make(),
            WatchCommand.Make(),
            DownloadCommand.Make(),
            RevokeCommand.Make(),
            EventsCommand.Make(),
            ImportCommand.Make(),
        };
        foreach (var option in GlobalOptions.All)
            root.Options.Add(option);
        foreach (var help in root.Options.OfType<HelpOption>())
            help.Action = new WithNotes((HelpAction)help.Action!);
        return root;
    }

    private static IEnumerable<string> Path(Command command) =>
        command is RootCommand ? [] : command.Parents.OfType<Command>().SelectMany(Path).Append(command.Name);

    private sealed class WithNotes(HelpAction help) : SynchronousCommandLineAction
    {
        // Otherwise the missing arguments of `claimcheck export --help` were an error.
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var result = help.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            if (parseResult.CommandResult.Command is RootCommand)
                output.WriteLine(Notes);
            output.WriteLine(ExitCodes.Help);
            return result;
        }
    }
}
