namespace ClaimCheck.Consumer.Mapping;

/// <summary>What the readers of a batch's rows throw.</summary>
internal static class RecordErrors
{
    public static RowErrors OfRows { get; } =
        new((message, batch) => new IntegrityException(message, batch), (message, batch) =>
            new RecordMismatchException(message, batch));
}
