using ClaimCheck.Service.BulkJobs.Bodies;
using Microsoft.AspNetCore.Http.Features;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Receives bodies of NDJSON and CSV: each item is checked as it streams by, into staging. A body that is not received
/// completely leaves nothing behind, and creates no job.</summary>
internal sealed partial class JobIntake(
    JobRequests requests, JobStaging staging, JobStore store, BulkJobsOptions options, ILogger<JobIntake> logger)
{
    private static readonly TimeSpan CleanUp = TimeSpan.FromSeconds(20);

    /// <returns>Whether it is CSV, or null where the call does not take the body.</returns>
    public static bool? IsCsv(string? mediaType) => mediaType?.ToLowerInvariant() switch
    {
        "text/csv" => true,
        "application/x-ndjson" or "application/ndjson" or "application/jsonl" => false,
        _ => null,
    };

    public async Task<JobAnswer> ReceiveAsync(
        HttpContext context, Caller caller, bool isCsv, string? key, CancellationToken cancellationToken)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var (operation, unavailable) = await requests.FindOperationAsync(
            context.Request.Query["operation"] is [{ Length: > 0 } name] ? name : null, errors, cancellationToken);
        if (unavailable is not null)
            return unavailable;
        var ttl = requests.ReadTtl(context.Request.Query["ttl"] is [{ } text] ? text : null, errors);
        if (errors.Count > 0)
            return Refused.Invalid(errors);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = options.MaxBodyBytes;

        var id = JobId.New();
        var isKept = false;
        using var lost = new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lost.Token);
        await staging.BeginAsync(id, cancellationToken);
        using var heartbeat = new Heartbeat(token => staging.RenewAsync(id, token), JobStaging.IntakeLives, lost);
        try
        {
            await using var staged = await staging.OpenBodyAsync(id, either.Token);
            if (staged is null)
                return new Refused(ProblemCodes.CatalogUnavailable, RetryAfter: TimeSpan.FromSeconds(5));
            using var writer = new BodyWriter(staged);
            if (await ReadAsync(context, operation!, isCsv, writer, either.Token) is { } refusal)
                return refusal;
            await staged.CompleteAsync(either.Token);
            var body = new JobBody(null, staged.Upload.Key, writer.Index.ToArray(), writer.Bytes, writer.Items);
            var meaning = JobRequests.Meaning(operation!, ttl, null, writer.Digest());
            var job = new NewJob(id, operation!, ttl, meaning, body, ClaimUrl: null);
            // If it is unknown whether the transaction was committed, the body stays: the sweep removes bodies without a job.
            isKept = true;
            var (created, known, same) = await store.CreateAsync(caller, job, key, either.Token);
            if (created is not null)
                return new JobAnswer.Asked(created, true);
            isKept = false;
            return known is null
                ? new Refused(ProblemCodes.CatalogUnavailable, RetryAfter: TimeSpan.FromSeconds(5))
                : JobRequests.Repeated(known, same);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new Refused(ProblemCodes.CatalogUnavailable, RetryAfter: TimeSpan.FromSeconds(5));
        }
        finally
        {
            await heartbeat.StopAsync();
            if (!isKept)
                await DropAsync(id);
        }
    }

    private async Task<Refused?> ReadAsync(
        HttpContext context, Operation operation, bool isCsv, BodyWriter writer, CancellationToken cancellationToken)
    {
        try
        {
            var records = new BodyRecords(context.Request.BodyReader, isCsv, options.MaxItemBytes);
            if (isCsv)
                await ReadCsvAsync(records, operation, writer, cancellationToken);
            else
                await ReadNdjsonAsync(records, operation, writer, cancellationToken);
            await writer.FlushAsync(cancellationToken);
        }
        catch (InvalidDataException e)
        {
            return Invalid(e.Message);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return new Refused(
                ProblemCodes.BodyTooLarge,
                $"The body is larger than the {options.MaxBodyBytes} bytes that ClaimCheck:BulkJobs:MaxBodyBytes allows.");
        }

        if (writer.Items == 0)
            return Invalid("Must hold one item or more.");
        return requests.TooMany(operation, writer.Items) is { } tooMany ? Invalid(tooMany) : null;
    }

    private async Task ReadNdjsonAsync(
        BodyRecords records, Operation operation, BodyWriter writer, CancellationToken cancellationToken)
    {
        var items = new JsonItems(operation);
        await records.ReadAsync(
            line => line switch
            {
                null => writer.AddAsync(new(writer.Items, null, null, TooLong), cancellationToken),
                { } bytes when IsBlank(bytes) => ValueTask.CompletedTask,
                { } bytes => writer.AddAsync(items.Read(writer.Items, Whole(bytes)), cancellationToken),
            },
            cancellationToken);
    }

    private async Task ReadCsvAsync(
        BodyRecords records, Operation operation, BodyWriter writer, CancellationToken cancellationToken)
    {
        TextItems? items = null;
        var columns = 0;
        await records.ReadAsync(
            row =>
            {
                if (items is null)
                {
                    var header = row is { } first ? CsvFields.Split(Whole(first)) : null;
                    var (places, fault) = header is null || header.Contains(null)
                        ? (null, "The first row must be a header of the parameters' names.")
                        : TextItems.Match(operation, header!, mayHaveOthers: false);
                    items = places is null ? throw new InvalidDataException(fault) : new(operation, places);
                    columns = places.Count;
                    return ValueTask.CompletedTask;
                }

                if (row is not { } bytes)
                    return writer.AddAsync(new(writer.Items, null, null, TooLong), cancellationToken);
                // Of one column, an empty line is NULL.
                if (bytes.IsEmpty && columns > 1)
                    return ValueTask.CompletedTask;
                var item = CsvFields.Split(Whole(bytes)) is { } fields
                    ? items.Read(writer.Items, fields)
                    : new(writer.Items, null, null, "The row is not well-formed CSV.");
                return writer.AddAsync(item, cancellationToken);
            },
            cancellationToken);
    }

    private string TooLong =>
        $"The item is longer than the {options.MaxItemBytes} bytes that ClaimCheck:BulkJobs:MaxItemBytes allows.";

    private static Refused Invalid(string rule) =>
        Refused.Invalid(new Dictionary<string, string[]>(StringComparer.Ordinal) { ["body"] = [rule] });

    private static ReadOnlySpan<byte> Whole(in ReadOnlySequence<byte> bytes) =>
        bytes.IsSingleSegment ? bytes.FirstSpan : bytes.ToArray();

    private static bool IsBlank(in ReadOnlySequence<byte> bytes) =>
        bytes.IsEmpty || (bytes.FirstSpan[0] is (byte)' ' or (byte)'\t' && !Whole(bytes).ContainsAnyExcept(" \t"u8));

    // On a short token of its own: the caller's is cancelled where the client has gone. What can't be removed now is swept later.
    private async Task DropAsync(JobId id)
    {
        using var soon = new CancellationTokenSource(CleanUp);
        try
        {
            await staging.DropAsync(id, soon.Token);
        }
        catch (Exception e) when (e is StagingException or OperationCanceledException || CatalogErrors.IsTransient(e))
        {
            Log.NotDropped(logger, id, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning,
            "The body that was meant for job {JobId} could not be removed now ({Reason}); the sweep removes it.")]
        public static partial void NotDropped(ILogger logger, JobId jobId, string reason);
    }
}
