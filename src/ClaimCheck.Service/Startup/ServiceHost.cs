using System.Runtime.InteropServices;

namespace ClaimCheck.Service.Startup;

/// <summary>One preparation that must succeed before the service listens.</summary>
/// <exception cref="StartupException">It is not, and the service can't start.</exception>
internal delegate Task Preparation(WebApplication app, CancellationToken cancellationToken);

/// <summary>From the start of the process to its exit code. What does not fit ends the start with one clear line and exit code 1;
/// what is wrong with one dataset or operation makes that one unavailable.</summary>
internal static class ServiceHost
{
    /// <summary>Prepares step by step, runs until it is told to stop, and cleans up.</summary>
    public static async Task<int> RunServiceAsync(this WebApplication app, params Preparation[] preparations)
    {
        await using (app)
        {
            using (var stop = new StopSignals())
            {
                try
                {
                    foreach (var prepare in preparations)
                        await prepare(app, stop.Token);
                }
                catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
                {
                    return 130;
                }
            }

            await app.RunAsync(); // from here on the host listens for signals
            return 0;
        }
    }

    /// <summary>Runs <paramref name="main"/>; where the start fails for a known reason, prints it, usually in one line.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> main)
    {
        PrivateFiles.ByDefault();
        try
        {
            return await main();
        }
        catch (Exception e) when (e is StartupException or UnsafeAddressException)
        {
            foreach (var line in e.Message.Split('\n'))
                await Console.Error.WriteLineAsync($"claimcheck: {line}");
            return 1;
        }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            await Console.Error.WriteLineAsync(
                $"claimcheck: {e.Message.TrimEnd('.')}. Choose another with --urls http://127.0.0.1:<port>.");
            return 1;
        }
    }

    // Ctrl-C and SIGTERM while the service prepares: the first start may take a while.
    private sealed class StopSignals : IDisposable
    {
        private readonly CancellationTokenSource stopping = new();
        private readonly PosixSignalRegistration[] registrations;

        public StopSignals() => registrations =
        [
            Register(PosixSignal.SIGINT),
            Register(PosixSignal.SIGTERM),
        ];

        public CancellationToken Token => stopping.Token;

        public void Dispose()
        {
            foreach (var registration in registrations)
                registration.Dispose();
        }

        private PosixSignalRegistration Register(PosixSignal signal) =>
            PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                stopping.Cancel();
            });
    }
}
