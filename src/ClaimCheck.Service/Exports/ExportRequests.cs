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
internal sealed class ExportRequests(DatasetCatalog datasets, ExportStore store)
{
    public async Task<ExportAnswer> AskAsync(Caller caller, JsonElement body, string? key, CancellationToken cancellationToken)
    {
        // One snapshot of the definitions for the whole request, whatever is read again meanwhile.
        var known = datasets.Current;
        if (ExportRequestReader.Unread(body, known) is { } unread
            && await unread.AskAsync(anew: false, cancellationToken) is { } unreadable)
            return Refusals.Unavailable(unreadable);
        var (request, errors) = ExportRequestReader.Read(body, known);
        if (request is null)
            return Refused.Invalid(errors);
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

    private async Task<ExportAnswer> RepeatAsync(
        Caller caller, KnownKey known, byte[] meaning, CancellationToken cancellationToken) =>
        known.Meaning.AsSpan().SequenceEqual(meaning)
            ? new ExportAnswer.Asked((await store.FindAsync(caller, known.ExportId, cancellationToken))!, false)
            : new Refused(ProblemCodes.IdempotencyKeyReused);
}
