namespace ClaimCheck.Service.BulkJobs;

/// <summary>What a target reports about an operation.</summary>
/// <param name="Fault">What is wrong with it, or null.</param>
/// <param name="Unchecked">Why the target could not be asked, or null: jobs wait for it.</param>
internal sealed record TargetAnswer(DefinitionFault? Fault, string? Unchecked);

/// <summary>An operation of the folder: its definition, and whether jobs of it can be requested at present.</summary>
internal sealed partial class DefinedOperation : IDefinition
{
    // A valid operation is checked seldom: each check creates and drops its statements in the target.
    private static readonly TimeSpan FreshIfSound = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FreshIfNot = TimeSpan.FromSeconds(5);

    private readonly DefinitionFault? fault;
    private readonly SharedAnswer<TargetAnswer> availability;
    private readonly ILogger logger;
    private string? reported;
    private bool isBad;

    /// <param name="before">What was there before under this name, or null.</param>
    /// <param name="ask">Checks it against its target; throws nothing.</param>
    /// <param name="clock">Tells when an answer is out of date.</param>
    /// <param name="logger">Logs each change.</param>
    public DefinedOperation(
        DefinitionPair files, DefinedOperation? before, Func<Operation, DefinitionPair, Task<TargetAnswer>> ask,
        TimeProvider clock, ILogger logger)
    {
        (Files, this.logger) = (files, logger);
        (var definition, fault) = files.Define((json, sql) => OperationReader.Read(files.Name, json, sql!));
        Definition = definition ?? before?.Definition;
        isBad = before?.isBad ?? false;
        availability = new(
            async () => Judge(fault is null ? await ask(Definition!, files) : new(fault, null)),
            answer => answer.Fault is null ? FreshIfSound : FreshIfNot,
            clock);
    }

    public string Name => Files.Name;

    public DefinitionPair Files { get; }

    /// <summary>The definition as it was last read; null where it could never be read.</summary>
    public Operation? Definition { get; }

    public async Task<Unavailability?> AskAsync(bool anew, CancellationToken cancellationToken) =>
        (await availability.GetAsync(anew, cancellationToken)).Fault?.Unavailable;

    // Logged once for each change, not for each check.
    private TargetAnswer Judge(TargetAnswer answer)
    {
        var reason = answer.Fault?.ToString() ?? answer.Unchecked;
        if (answer.Fault is { } found && reason != reported)
            Log.Unusable(logger, Name, found);
        else if (answer.Unchecked is { } why && reason != reported)
            Log.Unchecked(logger, Name, Definition!.Target, why);
        else if (reason is null && isBad)
            Log.Available(logger, Name);
        (reported, isBad) = (reason, reason is not null);
        return answer;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Operation {Operation} is unavailable: {Fault}")]
        public static partial void Unusable(ILogger logger, string operation, DefinitionFault fault);

        [LoggerMessage(LogLevel.Warning,
            "Operation {Operation} could not be checked against its target {Target} ({Reason}); its jobs wait for it.")]
        public static partial void Unchecked(ILogger logger, string operation, string target, string reason);

        [LoggerMessage(LogLevel.Information, "Operation {Operation} is available again.")]
        public static partial void Available(ILogger logger, string operation);
    }
}
