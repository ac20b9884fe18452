using ClaimCheck.Service.BulkJobs.Bodies;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>The outcome of a request for a job.</summary>
internal abstract record JobAnswer
{
    public static implicit operator JobAnswer(Refused why) => new Declined(why);

    /// <summary>There is one, new or found by its key.</summary>
    internal sealed record Asked(JobRow Job, bool IsNew) : JobAnswer;

    internal sealed record Declined(Refused Why) : JobAnswer;
}

/// <summary>Turns JSON requests into jobs: items inline, or the claim of a batch. Nothing is staged for them.</summary>
internal sealed class JobRequests(OperationCatalog operations, JobStore store, ClaimedBatches batches, BulkJobsOptions options)
{
    private static readonly TimeSpan LongestTtl = TimeSpan.FromDays(3650);
    private static readonly string[] Fields = ["operation", "items", "claim", "ttl"];

    /// <param name="body">The request.</param>
    /// <param name="items">The array of its items, where it has one.</param>
    public async Task<JobAnswer> AskAsync(
        Caller caller, JsonElement body, byte[]? items, string? key, CancellationToken cancellationToken)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var (operation, refusal) = await FindOperationAsync(Text(body, "operation", errors), errors, cancellationToken);
        if (operation is null && refusal is not null)
            return refusal;
        var ttl = ReadTtl(Text(body, "ttl", errors), errors);
        var claim = Text(body, "claim", errors);
        var count = items is null ? 0 : Count(items);
        var isOther = body.TryGetProperty("items", out var given) && given.ValueKind != JsonValueKind.Null;
        foreach (var property in body.EnumerateObject()
            .Where(property => !Fields.Contains(property.Name, StringComparer.Ordinal)))
            errors[property.Name] = [NearestName.NotAField(property.Name, Fields)];
        if (claim is not null && (items is not null || isOther))
            errors["claim"] = ["Must not be given beside items."];
        else if (claim is not null && (claim.StartsWith('/')
            ? "Must be absolute."
            : await batches.FaultAsync(caller, claim, cancellationToken)) is { } fault)
            errors["claim"] = [fault];
        else if (claim is null && items is null && !isOther && !errors.ContainsKey("claim"))
            errors["items"] = ["Must be given, or claim."];
        else if (isOther || (items is not null && count == 0))
            errors["items"] = ["Must be an array of one item or more."];
        if (errors.Count == 0 && TooMany(operation!, count) is { } tooMany)
            errors["items"] = [tooMany];
        if (errors.Count > 0)
            return Refused.Invalid(errors);

        claim = claim is null ? null : batches.Kept(claim);
        var id = JobId.New();
        var job = new NewJob(id, operation!, ttl, Meaning(operation!, ttl, claim, []), Body: null, claim);
        if (items is { } inline)
        {
            using var writer = await KeepAsync(operation!, inline, cancellationToken);
            job = job with
            {
                Body = new(writer.Inline.ToArray(), null, writer.Index.ToArray(), writer.Bytes, writer.Items),
                Meaning = Meaning(operation!, ttl, null, writer.Digest()),
            };
        }

        if (refusal is not null)
        {
            // A repeated request is answered in any case.
            var (before, isSame) =
                key is null ? default : await store.FindByKeyAsync(caller, key, job.Meaning, cancellationToken);
            return before is null ? refusal : Repeated(before, isSame);
        }

        var (created, known, same) = await store.CreateAsync(caller, job, key, cancellationToken);
        return created is not null ? new JobAnswer.Asked(created, true) : Repeated(known, same);
    }

    /// <summary>Handles a request with a key that was used before.</summary>
    public static JobAnswer Repeated(JobRow? known, bool meansTheSame) =>
        meansTheSame ? new JobAnswer.Asked(known!, false) : new Refused(ProblemCodes.IdempotencyKeyReused);

    /// <returns>The operation as it was last read, and the refusal where it can't be used now; neither where it does not exist,
    /// which the errors tell.</returns>
    public async Task<(Operation? Operation, Refused? Refusal)> FindOperationAsync(
        string? name, Dictionary<string, string[]> errors, CancellationToken cancellationToken)
    {
        var defined = name is null ? null : operations.Find(name);
        if (defined is null && !errors.ContainsKey("operation"))
            errors["operation"] =
                [name is null ? "Must be given." : "Unknown operation; GET /v1/operations lists all."];
        if (defined is null)
            return default;
        return (defined.Definition,
            await defined.AskAsync(anew: false, cancellationToken) is { } why ? Refusals.Unavailable(why) : null);
    }

    public TimeSpan ReadTtl(string? text, Dictionary<string, string[]> errors)
    {
        if (text is null)
            return options.TimeToLive;
        if (IsoDuration.TryParse(text, out var ttl) && ttl >= TimeSpan.FromSeconds(1) && ttl <= LongestTtl)
            return ttl;
        errors["ttl"] = ["Must be an ISO 8601 duration without years and months, from PT1S to P3650D."];
        return default;
    }

    /// <returns>What is wrong with this number of items, or null.</returns>
    public string? TooMany(Operation operation, long items) =>
        operation.Atomicity == Operation.PerJob && items > options.MaxAtomicItems
            ? $"Must be {options.MaxAtomicItems} at most: the operation applies them all in one transaction."
            : null;

    /// <summary>The meaning of a request that an idempotency key stands for.</summary>
    public static byte[] Meaning(Operation operation, TimeSpan ttl, string? claim, byte[] digest) =>
        SHA256.HashData([.. Encoding.UTF8.GetBytes($"{operation.Name}\0{ttl.Ticks}\0{claim}\0"), .. digest]);

    private static async Task<BodyWriter> KeepAsync(
        Operation operation, ReadOnlyMemory<byte> items, CancellationToken cancellationToken)
    {
        var writer = new BodyWriter(staged: null);
        var reader = new JsonItems(operation);
        foreach (var item in Places(items.Span))
            await writer.AddAsync(reader.Read(writer.Items, items.Span[item]), cancellationToken);
        await writer.FlushAsync(cancellationToken);
        return writer;
    }

    private static int Count(ReadOnlySpan<byte> items) => Places(items).Count;

    // Each item is checked by itself: its depth of nesting, and whatever else is wrong with it, fails it alone.
    private static List<Range> Places(ReadOnlySpan<byte> items)
    {
        var places = new List<Range>();
        var reader = new Utf8JsonReader(items, new JsonReaderOptions { MaxDepth = int.MaxValue });
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            places.Add(start..(int)reader.BytesConsumed);
        }

        return places;
    }

    private static string? Text(JsonElement body, string field, Dictionary<string, string[]> errors)
    {
        if (!body.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind == JsonValueKind.String)
            return value.GetString();
        errors[field] = ["Must be text."];
        return null;
    }
}
