namespace ClaimCheck.Cli;

/// <summary>One running command: its service and its screen.</summary>
internal sealed class Session(
    ClaimCheckClient client, IReadOnlyList<string> linkHosts, Screen screen, ParseResult parsed) : IDisposable
{
    public ClaimCheckClient Client => client;

    /// <summary>Hosts that links may lead to, besides the service's own address.</summary>
    public IReadOnlyList<string> LinkHosts => linkHosts;

    public Screen Screen => screen;

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T Get<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

    public void Dispose() => client.Dispose();
}

/// <summary>One command that needs no service.</summary>
internal sealed record Local(Screen Screen, ParseResult Parsed)
{
    public T? Get<T>(Option<T> option) => Parsed.GetValue(option);

    public T Get<T>(Argument<T> argument) => Parsed.GetValue(argument)!;
}

internal static class SessionCommand
{
    /// <summary>Runs a command with a session; a failure becomes a line and an exit code.</summary>
    public static Command Runs(this Command command, Func<Session, CancellationToken, Task<int>> run) =>
        command.RunsHere(async (local, cancellationToken) =>
        {
            var service = await ServiceAddress.FindAsync(local.Parsed, cancellationToken);
            using var session = new Session(service.Connect(local.Screen), service.LinkHosts, local.Screen, local.Parsed);
            return await run(session, cancellationToken);
        });

    /// <summary>The same without a service.</summary>
    public static Command RunsHere(this Command command, Func<Local, CancellationToken, Task<int>> run)
    {
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var screen = new Screen(parsed.GetValue(GlobalOptions.Json));
            try
            {
                return await run(new(screen, parsed), cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return ExitCodes.Interrupted;
            }
#pragma warning disable CA1031 // The tool's last resort: whatever happened becomes a line and an exit code.
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
