namespace ClaimCheck.Service.Datasets;

/// <summary>A dataset of the folder: its definition, and whether it can be exported at present.</summary>
internal sealed partial class DefinedDataset : IDefinition
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    private readonly DefinitionFault? fault;
    private readonly SharedAnswer<DatasetAvailability> availability;
    private readonly ILogger logger;
    private IReadOnlyList<ResultColumn>? columns;
    private string? reported;
    private bool isBad;

    /// <param name="before">What was there before under this name, or null.</param>
    /// <param name="ask">Checks it against its source; throws nothing.</param>
    /// <param name="clock">Tells when an answer is out of date.</param>
    /// <param name="logger">Logs each change.</param>
    public DefinedDataset(
        DefinitionPair files, DefinedDataset? before, Func<Dataset, Task<SourceAnswer>> ask, TimeProvider clock, ILogger logger)
    {
        (Files, this.logger) = (files, logger);
        (var definition, fault) = files.Define((json, sql) => DefinitionReader.Read(files.Name, json, sql));
        Definition = definition ?? before?.Definition;
        columns = before is null ? null : Volatile.Read(ref before.columns);
        isBad = before?.isBad ?? false;
        availability = new(async () => Judge(fault is null ? await ask(Definition!) : null), _ => Fresh, clock);
    }

    public string Name => Files.Name;

    public DefinitionPair Files { get; }

    /// <summary>The definition as it was last read; null where it could never be read.</summary>
    public Dataset? Definition { get; }

    /// <summary>Whether it can be exported; at most a few seconds old.</summary>
    public Task<DatasetAvailability> ProbeAsync(CancellationToken cancellationToken) =>
        availability.GetAsync(anew: false, cancellationToken);

    public async Task<Unavailability?> AskAsync(bool anew, CancellationToken cancellationToken) =>
        (await availability.GetAsync(anew, cancellationToken)).Unavailable;

    /// <summary>The dataset as an export stores it, or why it can't be exported now.</summary>
    public async Task<(FrozenDataset? Frozen, Unavailability? Unavailable)> FreezeAsync(CancellationToken cancellationToken)
    {
        var now = await ProbeAsync(cancellationToken);
        return now.IsAvailable ? (Freeze(Definition!, now.Columns!), null) : (null, now.Unavailable);
    }

    private static FrozenDataset Freeze(Dataset dataset, IReadOnlyList<ResultColumn> columns) => new()
    {
        Name = dataset.Name,
        Source = dataset.Source,
        Sql = dataset.Sql.Text,
        Table = dataset.Table,
        Parameters = dataset.ParameterTypes,
        Key = dataset.Key,
        OrderedBy = dataset.Sql.OrderedBy(columns.Select(column => column.Name)),
        TrustsKey = dataset.TrustsKey,
        SchemaVersion = dataset.SchemaVersion,
        Columns = [.. columns.Select(column => column.ToContract())],
        Types = [.. columns.Select(column => column.Value)],
        RowSecurity = dataset.RowSecurity,
        Delivery = dataset.Delivery,
        MaxRecords = dataset.MaxRecords,
        MaxBytes = dataset.MaxBytes,
    };

    private DatasetAvailability Judge(SourceAnswer? answer)
    {
        switch (answer)
        {
            case null:
                return Unusable(fault!);
            case SourceAnswer.Described described:
                Volatile.Write(ref columns, described.Columns);
                Report(null, () => Log.Available(logger, Name));
                return new(described.Columns, null);
            case SourceAnswer.Unreachable unreachable:
                Report(unreachable.Reason, () =>
                {
                    if (unreachable.HasAnswered)
                        Log.Refused(logger, Name, Definition!.Source, unreachable.Reason);
                    else
                        Log.Away(logger, Name, Definition!.Source, unreachable.Reason);
                });
                return new(
                    Volatile.Read(ref columns),
                    new(ProblemCodes.SourceUnavailable, $"The source {Definition!.Source} "
                        + $"{(unreachable.HasAnswered ? "refuses the service at present" : "can't be used now")}. "
                        + $"{unreachable.Told}"));
            case SourceAnswer.Faulty faulty:
                if (faulty.Defect is { } defect && reported?.Contains(faulty.Reason, StringComparison.Ordinal) != true)
                    Log.Defective(logger, Defect.Of(defect), Name);
                // The service's own query of a table has no file, and no line of one.
                var (file, line) = faulty.IsInSql && Definition!.Table is null
                    ? (Files.SqlFile, faulty.Line)
                    : (Files.JsonFile, Files.LineOf(faulty.IsInSql ? "table" : faulty.Field));
                return Unusable(
                    new(file, line, faulty.Reason) { Code = faulty.Code ?? ProblemCodes.DefinitionInvalid });
            default:
                throw new InvalidOperationException($"Unexpected answer {answer}.");
        }
    }

    private DatasetAvailability Unusable(DefinitionFault found)
    {
        Report(found.ToString(), () => Log.Unusable(logger, Name, found));
        return new(Volatile.Read(ref columns), found.Unavailable);
    }

    // Logged once for each change, not for each check.
    private void Report(string? reason, Action tell)
    {
        if (reason is null ? isBad : reason != reported)
            tell();
        (reported, isBad) = (reason, reason is not null);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Dataset {Dataset} is unavailable: {Fault}")]
        public static partial void Unusable(ILogger logger, string dataset, DefinitionFault fault);

        [LoggerMessage(LogLevel.Error, "Checking dataset {Dataset} against its source hit a defect of the service.")]
        public static partial void Defective(ILogger logger, Exception exception, string dataset);

        [LoggerMessage(LogLevel.Warning, "Dataset {Dataset} is unavailable until its source {Source} answers: {Reason}.")]
        public static partial void Away(ILogger logger, string dataset, string source, string reason);

        [LoggerMessage(LogLevel.Warning,
            "Dataset {Dataset} is unavailable: its source {Source} answers, but refuses the service: {Reason}.")]
        public static partial void Refused(ILogger logger, string dataset, string source, string reason);

        [LoggerMessage(LogLevel.Information, "Dataset {Dataset} is available again.")]
        public static partial void Available(ILogger logger, string dataset);
    }
}
