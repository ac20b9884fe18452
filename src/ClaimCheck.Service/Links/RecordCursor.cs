using System.Globalization;
using System.Runtime.InteropServices;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.Links;

/// <summary>Where a page of records begins: a file's ordinal, a block of it, a record of that. It holds while the batch is ready.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RecordCursor(int File, int Block, int Record)
{
    private const string Call = "records";
    private const int DefaultLimit = 100;
    private const int MostRecords = 10_000;

    public static RecordCursor Begin { get; } = new(1, 0, 0);

    public override string ToString() => Paging.Cursor(Call, string.Create(CultureInfo.InvariantCulture, $"{File}.{Block}.{Record}"));

    /// <summary>Reads <c>limit</c> and <c>cursor</c>.</summary>
    /// <returns>Null where one of them is no such thing; the refusal says which.</returns>
    public static RecordCursor? Read(HttpRequest request, out int limit, out ProblemResult? refusal)
    {
        refusal = null;
        limit = DefaultLimit;
        if (request.Query.TryGetValue("limit", out var text)
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MostRecords))
        {
            refusal = Problems.Of(ProblemCodes.InvalidLimit, $"limit must be a whole number from 1 to {MostRecords}.");
            return null;
        }

        if (!request.Query.TryGetValue("cursor", out var cursor) || cursor.Count == 0)
            return Begin;
        if (Paging.Open(Call, cursor.ToString())?.Split('.') is [var file, var block, var record]
            && TryRead(file, out var f) && TryRead(block, out var b) && TryRead(record, out var r) && f >= 1)
        {
            return new(f, b, r);
        }

        refusal = Problems.Of(ProblemCodes.InvalidCursor);
        return null;
    }

    private static bool TryRead(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
