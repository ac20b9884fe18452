using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace ClaimCheck.Service.Batches;

/// <summary>Where a page of records begins: a file's ordinal, a block of it, a record of that. It is valid while the batch is
/// ready, and for what was staged by that very attempt: a catalog that is restored to an earlier time may export the batch once
/// more, with other records.</summary>
/// <param name="File">From 1.</param>
/// <param name="Block">From 0.</param>
/// <param name="Record">From 0.</param>
/// <param name="Attempt">A digest of the attempt; null at the beginning, and in cursors of earlier versions, which are accepted
/// as they are.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RecordCursor(int File, int Block, int Record, string? Attempt = null)
{
    private const string Call = "records";
    private const int DefaultLimit = 100;
    private const int MostRecords = 10_000;

    public static RecordCursor Begin { get; } = new(1, 0, 0);

    public override string ToString() =>
        Paging.Cursor(
            Call, string.Create(CultureInfo.InvariantCulture, $"{File}.{Block}.{Record}{(Attempt is null ? "" : ".")}{Attempt}"));

    /// <summary>False where it refers to what another attempt has staged.</summary>
    public bool IsOf(ReadableBatch batch) => Attempt is null || Attempt == DigestOf(batch);

    public RecordCursor In(ReadableBatch batch) => this with { Attempt = DigestOf(batch) };

    // A digest: the attempt itself is a part of the objects' keys.
    private static string DigestOf(ReadableBatch batch) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(batch.Files[0].Attempt)).AsSpan(0, 6));

    /// <summary>Reads <c>limit</c> and <c>cursor</c>.</summary>
    /// <returns>Null where one of them is invalid; the refusal tells which.</returns>
    public static RecordCursor? Read(HttpRequest request, out int limit, out Refused? refusal)
    {
        refusal = null;
        limit = DefaultLimit;
        if (request.Query.TryGetValue("limit", out var text)
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MostRecords))
        {
            refusal = new Refused(ProblemCodes.InvalidLimit, $"limit must be a whole number from 1 to {MostRecords}.");
            return null;
        }

        if (!request.Query.TryGetValue("cursor", out var cursor) || cursor.Count == 0)
            return Begin;
        if (Paging.Open(Call, cursor.ToString())?.Split('.') is [var file, var block, var record, .. var rest]
            && rest.Length <= 1
            && TryRead(file, out var f) && TryRead(block, out var b) && TryRead(record, out var r) && f >= 1)
        {
            return new(f, b, r, rest.FirstOrDefault());
        }

        refusal = new Refused(ProblemCodes.InvalidCursor);
        return null;
    }

    private static bool TryRead(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
