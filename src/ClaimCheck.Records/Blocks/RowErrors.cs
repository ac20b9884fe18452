namespace ClaimCheck.Records.Blocks;

/// <summary>What is thrown where a row can't be read; each is given a text that names places and columns,
/// never a value.</summary>
/// <param name="Broken">The bytes are not a row of the batch's columns.</param>
/// <param name="Unreadable">They are, but their content can't be read.</param>
internal sealed record RowErrors(Func<string, BatchId?, Exception> Broken, Func<string, BatchId?, Exception> Unreadable)
{
    /// <summary>For rows of no batch.</summary>
    public static RowErrors OfFormat { get; } = new(
        (message, _) => new FormatException(message), (message, _) => new FormatException(message));
}
