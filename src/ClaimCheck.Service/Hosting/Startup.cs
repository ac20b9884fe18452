using System.Runtime.InteropServices;
using ClaimCheck.Service.BulkJobs;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Staging;
using ClaimCheck.Web;

namespace ClaimCheck.Service.Hosting;

/// <summary>
/// What must be true before the service listens, in this order: keys and addresses, catalog, schema, sample, datasets, operations, staging.
/// What does not fit ends the start with one clear line and exit code 1; what is wrong with one dataset or operation makes that one unavailable.
/// </summary>
internal static class Startup
{
    private const string DefaultUrl = "http://127.0.0.1:8080";

    /// <summary>Prepares, runs until it is told to stop, and cleans up.</summary>
    public static async Task<int> RunServiceAsync(this WebApplication app)
    {
        await using (app)
        {
            // SIGHUP means that definitions are read again, and must not end the start either.
            app.Services.GetRequiredService<DefinitionWatch>();
            using (var stop = new StopSignals())
            {
                try
                {
                    await PrepareAsync(app, stop.Token);
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

    /// <summary>Runs <paramref name="main"/>; a start that fails for a known reason prints it, as a rule in one line.</summary>
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
            await Console.Error.WriteLineAsync($"claimcheck: {e.Message.TrimEnd('.')}. Choose another with --urls http://127.0.0.1:<port>.");
            return 1;
        }
    }

    private static async Task PrepareAsync(WebApplication app, CancellationToken cancellationToken)
    {
        var services = app.Services;
        ApiKeys.Check(app.Configuration);
        ApiKeys.Addresses(app.Configuration).Check(ListenAddresses.Of(app, DefaultUrl));

        services.GetRequiredService<TemporaryFiles>().Sweep();
        var catalog = services.GetRequiredService<CatalogDatabase>();
        await catalog.OpenAsync(cancellationToken);
        try
        {
            await Migrations.ApplyAsync(catalog.DataSource, app.Logger, cancellationToken);
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e) || e is Npgsql.NpgsqlException)
        {
            throw new StartupException(CatalogErrors.Explain(e), e);
        }

        await services.GetRequiredService<SampleDatabase>().EnsureAsync(catalog.ConnectionString, catalog.Server, cancellationToken);
        await services.GetRequiredService<DatasetCatalog>().ReloadAsync(all: true, cancellationToken);
        await services.GetRequiredService<OperationCatalog>().LoadAsync(cancellationToken);
        await services.GetRequiredService<IStaging>().CheckAsync(cancellationToken);
        await services.GetRequiredService<StagingPlaces>().EnterAsync(cancellationToken);
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
