using System.CommandLine;
using ClaimCheck.Cli.Connection;
using ClaimCheck.Cli.Output;
using ClaimCheck.Consumer;

namespace ClaimCheck.Cli;

/// <summary>One command at work: its service and its screen.</summary>
internal sealed class Session(ClaimCheckClient client, Screen screen, ParseResult parsed) : IDisposable
{
    public ClaimCheckClient Client => client;

    public Screen Screen => screen;

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T Get<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

    public void Dispose() => client.Dispose();
}

internal static class SessionCommand
{
    /// <summary>Runs a command with a session; what goes wrong becomes a line and an exit code.</summary>
    public static Command Runs(this Command command, Func<Session, CancellationToken, Task<int>> run)
    {
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var screen = new Screen(parsed.GetValue(GlobalOptions.Json));
            try
            {
                using var session = new Session(await ServiceAddress.ConnectAsync(parsed, screen, cancellationToken), screen, parsed);
                return await run(session, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return ExitCodes.Interrupted;
            }
#pragma warning disable CA1031 // The tool's last word: whatever happened becomes a line and an exit code.
            catch (Exception e)
#pragma warning restore CA1031
            {
                var failure = Failure.Of(e);
                screen.Fail(failure);
                return failure.ExitCode;
            }
        });
        return command;
    }

    public static Command With(this Command command, params ReadOnlySpan<Symbol> symbols)
    {
        foreach (var symbol in symbols)
        {
            if (symbol is Option option)
                command.Options.Add(option);
            else if (symbol is Argument argument)
                command.Arguments.Add(argument);
        }
        return command;
    }
}
