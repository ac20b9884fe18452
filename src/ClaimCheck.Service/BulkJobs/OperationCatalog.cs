using System.Collections.Frozen;
using System.Net.Sockets;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Hosting;
using Npgsql;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>
/// What bulk jobs may do: the operations of one folder (<c>ClaimCheck:Operations</c>), read once at start. The shipped ones are for
/// the sample database, and there only where it is.
/// </summary>
internal sealed partial class OperationCatalog(IConfiguration configuration, SourceDatabases databases, ILogger<OperationCatalog> logger)
{
    private FrozenDictionary<string, Operation> byName = FrozenDictionary<string, Operation>.Empty;

    /// <summary>Sorted by name.</summary>
    public IReadOnlyList<Operation> All { get; private set; } = [];

    public Operation? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>Reads the folder and holds each operation against its target, where that can be reached.</summary>
    /// <exception cref="StartupException">A definition can't be used: its file and the reason.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var configured = configuration["ClaimCheck:Operations"] is { Length: > 0 } path ? path : null;
        if (configured is null && !databases.IsKnown(SampleDatabase.Source))
            return;
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(configured ?? Path.Combine(AppContext.BaseDirectory, "operations")));
        var operations = await OperationLoader.LoadAsync(folder, cancellationToken);
        if (configured is null && string.IsNullOrEmpty(configuration.GetConnectionString(SampleDatabase.Source)))
            await PrepareSampleAsync(cancellationToken);
        foreach (var operation in operations)
            await CheckAsync(operation, cancellationToken);
        (byName, All) = (operations.ToFrozenDictionary(operation => operation.Name), operations);
        Log.Loaded(logger, operations.Count, folder);
    }

    private async Task CheckAsync(Operation operation, CancellationToken cancellationToken)
    {
        if (!databases.IsKnown(operation.Target))
        {
            throw new StartupException(
                $"{operation.File}: target is {operation.Target}, but ConnectionStrings:{operation.Target} is not set: "
                + $"set it (in the environment: ConnectionStrings__{operation.Target}).");
        }

        try
        {
            await using var connection = await databases.GetForWriting(operation.Target).OpenConnectionAsync(cancellationToken);
            if (await OperationCheck.FaultAsync(connection, operation, cancellationToken) is { } fault)
                throw new StartupException($"{operation.File}: {fault}.");
            if (operation.IsExactlyOnce && !await TargetScript.IsAppliedAsync(connection, cancellationToken))
                Log.NoTable(logger, operation.Name, operation.Target);
        }
        catch (ArgumentException)
        {
            throw new StartupException(
                $"{operation.File}: ConnectionStrings:{operation.Target} can't be read: write it as Host=…;Database=…;Username=…;Password=…");
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or IOException or TimeoutException)
        {
            Log.Unchecked(logger, operation.Name, operation.Target, (e as PostgresException)?.MessageText ?? e.Message);
        }
    }

    // The sample is the service's own: nobody else would run the script there.
    private async Task PrepareSampleAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await databases.GetForWriting(SampleDatabase.Source).OpenConnectionAsync(cancellationToken);
            await TargetScript.ApplyAsync(connection, cancellationToken);
        }
        catch (NpgsqlException e)
        {
            Log.NotPrepared(logger, (e as PostgresException)?.MessageText ?? e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Count} operations are read from {Folder}.")]
        public static partial void Loaded(ILogger logger, int count, string folder);

        [LoggerMessage(LogLevel.Warning,
            "Operation {Operation} is exactlyOnce, but its target {Target} has no table claimcheck.applied_chunks: its jobs fail until the script of "
            + "GET /v1/operations/target.sql is run there.")]
        public static partial void NoTable(ILogger logger, string operation, string target);

        [LoggerMessage(LogLevel.Warning, "Operation {Operation} could not be checked against its target {Target} ({Reason}); its jobs wait for it.")]
        public static partial void Unchecked(ILogger logger, string operation, string target, string reason);

        [LoggerMessage(LogLevel.Warning, "The sample database could not be prepared for bulk jobs ({Reason}).")]
        public static partial void NotPrepared(ILogger logger, string reason);
    }
}
