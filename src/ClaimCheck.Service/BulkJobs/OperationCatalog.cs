using ClaimCheck.Service.BulkJobs.Targets;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>The operations that bulk jobs may run: those of one folder (<c>ClaimCheck:Operations</c>), read at start and whenever
/// it changes. The shipped ones are for the sample database, and exist only where that exists.</summary>
internal sealed partial class OperationCatalog : IDefinitionFolder
{
    private static readonly DefinitionKind Kind = new("an operation", "operations", "statement", "ClaimCheck:Operations");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string? configured;
    private readonly bool isSampleTheServices;
    private readonly SourceDatabases databases;
    private readonly ILogger logger;
    private readonly Definitions<DefinedOperation> definitions;

    public OperationCatalog(
        IConfiguration configuration, SourceDatabases databases, TimeProvider clock, ILogger<OperationCatalog> logger)
    {
        (this.databases, this.logger) = (databases, logger);
        configured = configuration["ClaimCheck:Operations"] is { Length: > 0 } path ? path : null;
        isSampleTheServices = configured is null
            && string.IsNullOrEmpty(configuration.GetConnectionString(SampleDatabase.Source));
        definitions = new(Kind, (files, before) => new DefinedOperation(files, before, AskAsync, clock, logger), logger);
    }

    /// <summary>All operations at this moment, including unavailable ones.</summary>
    public DefinitionSet<DefinedOperation> Current => definitions.Current;

    public string? Path => configured is null && !databases.IsKnown(SampleDatabase.Source)
        ? null
        : System.IO.Path.TrimEndingDirectorySeparator(
            System.IO.Path.GetFullPath(configured ?? System.IO.Path.Combine(AppContext.BaseDirectory, "operations")));

    /// <summary>Reads the folder at start, and checks each operation against its target where that can be reached.</summary>
    /// <exception cref="StartupException">The folder can't be read.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (isSampleTheServices && Path is not null)
            await PrepareSampleAsync(cancellationToken);
        await ReloadAsync(all: true, cancellationToken);
    }

    /// <summary>Reads the folder again.</summary>
    /// <exception cref="StartupException">The folder can't be read; the earlier definitions stay.</exception>
    public async Task<IReadOnlyList<ReloadedDefinition>> ReloadAsync(bool all, CancellationToken cancellationToken) =>
        Path is { } folder ? await definitions.ReadAsync(folder, all, cancellationToken) : [];

    public DefinedOperation? Find(string name) => Current.Find(name);

    // Throws nothing: whatever fails makes this operation unavailable.
    private async Task<TargetAnswer> AskAsync(Operation operation, DefinitionPair files)
    {
        if (!databases.IsKnown(operation.Target))
        {
            return Faulty(
                $"target is {operation.Target}, but ConnectionStrings:{operation.Target} is not set: set it (in the environment: "
                + $"ConnectionStrings__{operation.Target})");
        }

        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await using var connection = await databases.GetForWriting(operation.Target).OpenConnectionAsync(limit.Token);
            if (await OperationCheck.FaultAsync(connection, operation, limit.Token) is var (reason, line))
                return new(new(files.SqlFile, line, reason), null);
            if (operation.IsExactlyOnce && !await TargetScript.IsAppliedAsync(connection, limit.Token))
                Log.NoTable(logger, operation.Name, operation.Target);
            return new(null, null);
        }
        catch (ArgumentException)
        {
            return Faulty(
                $"ConnectionStrings:{operation.Target} can't be read: write it as Host=…;Database=…;Username=…;Password=…");
        }
        catch (Exception e) when (DatabaseFailure.Is(e) || e is SourceException)
        {
            return new(null, (e as PostgresException)?.MessageText ?? e.Message);
        }
        catch (OperationCanceledException)
        {
            return new(null, $"{operation.Target} did not answer for {Patience.TotalSeconds:0} seconds");
        }
        catch (Exception e)
        {
            Log.Defective(logger, Defect.Of(e), operation.Name);
            return Faulty($"its statement can't be checked against {operation.Target}: an unexpected {e.GetType().Name} "
                + "occurred, which is logged");
        }

        TargetAnswer Faulty(string reason) => new(new(files.JsonFile, files.LineOf("target"), reason), null);
    }

    // The sample is the service's own database: nobody else would run the script there.
    private async Task PrepareSampleAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await databases.GetForWriting(SampleDatabase.Source)
                .OpenConnectionAsync(cancellationToken);
            await TargetScript.ApplyAsync(connection, cancellationToken);
        }
        catch (NpgsqlException e)
        {
            Log.NotPrepared(logger, (e as PostgresException)?.MessageText ?? e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning,
            "Operation {Operation} is exactlyOnce, but its target {Target} has no table claimcheck.applied_chunks: its jobs fail "
            + "until the script of GET /v1/operations/target.sql is run there.")]
        public static partial void NoTable(ILogger logger, string operation, string target);

        [LoggerMessage(LogLevel.Error, "Checking operation {Operation} against its target hit a defect of the service.")]
        public static partial void Defective(ILogger logger, Exception exception, string operation);

        [LoggerMessage(LogLevel.Warning, "The sample database could not be prepared for bulk jobs ({Reason}).")]
        public static partial void NotPrepared(ILogger logger, string reason);
    }
}
