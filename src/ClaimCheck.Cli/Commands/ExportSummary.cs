namespace ClaimCheck.Cli.Commands;

/// <summary>An export or a batch, for people.</summary>
internal static class ExportSummary
{
    public static void Show(Screen screen, Export export) => screen.Facts(
        ("export", $"{export.ExportId}"),
        ("batch", $"{export.BatchId}"),
        ("state", export.State),
        ("dataset", $"{export.Dataset} (schema version {export.SchemaVersion})"),
        ("criteria", export.Criteria is { ValueKind: JsonValueKind.Object } criteria && criteria.EnumerateObject().Any()
            ? criteria.GetRawText()
            : null),
        ("format", $"{export.Format}, {export.Compression}"),
        ("records", Records(export)),
        ("stored",
            $"{Amounts.Size(export.Progress.Bytes)} in {export.Progress.Files} file{(export.Progress.Files == 1 ? "" : "s")}"),
        ("speed", export.Progress is { RecordsPerSecond: { } records, BytesPerSecond: { } bytes }
            ? $"{Amounts.Count((long)records)} records/s, {Amounts.Size(bytes)}/s"
            : null),
        ("left", export.Progress.SecondsLeft is { } seconds ? $"about {Amounts.Seconds(seconds)}" : null),
        ("read", Read(export.Progress.Ranges)),
        ("created", Amounts.Time(export.CreatedAt)),
        ("ready", Amounts.Time(export.ReadyAt)),
        ("expires", Amounts.Time(export.ExpiresAt)),
        ("ended", Amounts.Time(export.EndedAt)),
        ("retry of", export.RetryOf?.ToString()),
        ("failure", export.Failure is { } failure ? $"{failure.Code}: {failure.Detail}" : null));

    public static void Show(Screen screen, ExportEstimate estimate) => screen.Facts(
        ("records", estimate.Records is { } records ? $"about {Amounts.Count(records)}" : "not known"),
        ("stored", estimate is { Bytes: { } bytes, Files: { } files }
            ? $"about {Amounts.Size(bytes)} in {Amounts.Count(files)} file{(files == 1 ? "" : "s")}"
            : "not known"),
        ("takes", estimate.Seconds is { } seconds ? $"about {Amounts.Seconds(seconds)}" : "not known"),
        ("read", Read(estimate.Ranges)),
        ("based on", estimate.BasedOn == EstimateBasis.History
            ? "the source's plan and the last exports of this dataset"
            : "the source's plan alone"));

    public static void Show(Screen screen, Batch batch) => screen.Facts(
        ("batch", $"{batch.BatchId}"),
        ("export", $"{batch.ExportId}"),
        ("state", batch.State),
        ("dataset", $"{batch.Dataset} (schema version {batch.SchemaVersion})"),
        ("format", $"{batch.Format}, {batch.Compression}"),
        ("records", Amounts.Count(batch.Records)),
        ("stored", $"{Amounts.Size(batch.Bytes)} in {batch.Files} file{(batch.Files == 1 ? "" : "s")}, "
            + $"{Amounts.Size(batch.UncompressedBytes)} before compression"),
        ("snapshot", Amounts.Time(batch.SnapshotAt)),
        ("ready", Amounts.Time(batch.ReadyAt)),
        ("expires", Amounts.Time(batch.ExpiresAt)),
        ("ended", Amounts.Time(batch.EndedAt)),
        ("reason", batch.Reason),
        ("deleted", Amounts.Time(batch.DeletionVerifiedAt)),
        ("retry of", batch.RetryOf?.ToString()),
        ("delivery", batch.Delivery is { } delivery ? string.Join(", ", delivery.Missing.Prepend(delivery.State)) : null),
        ("fetched by",
            batch.Redeemed.Count > 0 ? string.Join(", ", batch.Redeemed.Select(who => $"{who.Caller} ({who.Times})")) : null));

    private static string? Read(ExportRanges? ranges) => ranges switch
    {
        null => null,
        { By: RangesBy.None } => "in one stream",
        { By: RangesBy.Ctid } => $"in {Amounts.Count(ranges.Count)} ranges of the table's pages",
        _ => $"in {Amounts.Count(ranges.Count)} ranges of the {ranges.By}",
    };

    private static string Records(Export export) =>
        export.State == ExportState.Running && export.Progress.EstimatedRecords is { } estimate
            ? $"{Amounts.Count(export.Progress.Records)} of about {Amounts.Count(estimate)}"
            : Amounts.Count(export.Progress.Records);
}
