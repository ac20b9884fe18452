namespace ClaimCheck.Service.Exports;

/// <summary>The outcome of a request for an export.</summary>
internal abstract record ExportAnswer
{
    public static implicit operator ExportAnswer(Refused why) => new Declined(why);

    /// <summary>There is one, new or found by its key.</summary>
    internal sealed record Asked(ExportRow Export, bool IsNew) : ExportAnswer;

    internal sealed record Declined(Refused Why) : ExportAnswer;
}

/// <summary>Turns a request into an export, once per idempotency key.</summary>
internal sealed class ExportRequests(DatasetCatalog datasets, ExportStore store, ExportEstimates estimates)
{
    public async Task<ExportAnswer> AskAsync(Caller caller, JsonElement body, string? key, CancellationToken cancellationToken)
    {
        var (request, refusal) = await ReadAsync(body, cancellationToken);
        if (request is null)
            return refusal!;
        var meaning = request.Terms.Meaning(request.Dataset.Name);

        // Before the source is asked: a repeated request is answered even while the source is unreachable.
        if (key is not null && await store.FindByKeyAsync(caller, key, cancellationToken) is { } before)
            return await RepeatAsync(caller, before, meaning, cancellationToken);

        var (frozen, unavailable) = await request.Dataset.FreezeAsync(cancellationToken);
        if (unavailable is not null)
            return Refusals.Unavailable(unavailable);

        var created = await store.CreateAsync(caller, new(frozen!, request.Terms), key, meaning, cancellationToken);
        return created.New is { } row
            ? new ExportAnswer.Asked(row, true)
            : await RepeatAsync(caller, created.Known!, meaning, cancellationToken);
    }

    /// <summary>What the export would be. Nothing is made, and no idempotency key is used.</summary>
    /// <returns>The estimate, or the reason against it: what would refuse the export too, or a source that can't plan it
    /// now.</returns>
    public async Task<(ExportEstimate? Estimate, Refused? Refusal)> EstimateAsync(
        Caller caller, JsonElement body, CancellationToken cancellationToken)
    {
        var (request, refusal) = await ReadAsync(body, cancellationToken);
        if (request is null)
            return (null, refusal);
        var (frozen, unavailable) = await request.Dataset.FreezeAsync(cancellationToken);
        return unavailable is not null
            ? (null, Refusals.Unavailable(unavailable))
            : await estimates.MakeAsync(caller, frozen!, request.Terms, cancellationToken);
    }

    private async Task<(ValidRequest? Request, Refused? Refusal)> ReadAsync(JsonElement body, CancellationToken cancellationToken)
    {
        // One snapshot of the definitions for the whole request, whatever is read again meanwhile.
        var known = datasets.Current;
        if (ExportRequestReader.Unread(body, known) is { } unread
            && await unread.AskAsync(anew: false, cancellationToken) is { } unreadable)
            return (null, Refusals.Unavailable(unreadable));
        var (request, errors) = ExportRequestReader.Read(body, known);
        return request is null ? (null, Refused.Invalid(errors)) : (request, null);
    }

    private async Task<ExportAnswer> RepeatAsync(
        Caller caller, KnownKey known, byte[] meaning, CancellationToken cancellationToken) =>
        known.Meaning.AsSpan().SequenceEqual(meaning)
            ? new ExportAnswer.Asked((await store.FindAsync(caller, known.ExportId, cancellationToken))!, false)
            : new Refused(ProblemCodes.IdempotencyKeyReused);
}
