using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace ClaimCheck.Web;

/// <summary>
/// The page that a caller asks for: <c>?limit=&amp;cursor=</c>. Cursors are opaque to callers, and belong to one call.
/// </summary>
public sealed record Paging(string Call, int Limit, string? After)
{
    private const int Default = 100;
    private const int Most = 1000;

    /// <summary>Reads the two parameters.</summary>
    /// <param name="request">The request.</param>
    /// <param name="call">Names the call, so that a cursor of another one is refused.</param>
    /// <param name="refusal">Set where the answer is null.</param>
    public static Paging? Read(HttpRequest request, string call, out ProblemResult? refusal)
    {
        refusal = null;
        var limit = Default;
        if (request.Query.TryGetValue("limit", out var text)
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > Most))
        {
            refusal = Problems.Of(ProblemCodes.InvalidLimit);
            return null;
        }

        if (!request.Query.TryGetValue("cursor", out var cursor) || cursor.Count == 0)
            return new(call, limit, null);
        if (Open(call, cursor.ToString()) is { } after)
            return new(call, limit, after);
        refusal = Problems.Of(ProblemCodes.InvalidCursor);
        return null;
    }

    /// <summary>How many rows to read: one more than asked for tells whether there is another page.</summary>
    public int WithNext => Limit + 1;

    /// <summary>Reads what the cursor says.</summary>
    /// <param name="parse">Reads it as an id.</param>
    /// <param name="after">The id of the last item of the page before; null for the first page.</param>
    /// <returns>False where it is not an id.</returns>
    public bool TryAfter<TId>(TryParse<TId> parse, out TId? after)
        where TId : struct
    {
        after = null;
        if (After is null)
            return true;
        if (!parse(After, out var id))
            return false;
        after = id;
        return true;
    }

    /// <summary>The page, of up to <see cref="WithNext"/> rows.</summary>
    /// <param name="rows">What was read.</param>
    /// <param name="show">Shows a row.</param>
    /// <param name="after">What the next page comes after.</param>
    public Page<TItem> Of<TRow, TItem>(IReadOnlyList<TRow> rows, Func<TRow, TItem> show, Func<TRow, string> after) =>
        new([.. rows.Take(Limit).Select(show)], rows.Count > Limit ? Cursor(Call, after(rows[Limit - 1])) : null);

    /// <summary>The cursor of what a call's next page comes after.</summary>
    public static string Cursor(string call, string after) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{call}:{after}"));

    /// <summary>The content of the cursor, or null where it does not belong to this call.</summary>
    public static string? Open(string call, string cursor)
    {
        // The longest name of a definition's file is within this limit.
        if (cursor.Length is 0 or > 1200 || !Base64Url.IsValid(cursor))
            return null;
        var text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor));
        return text.StartsWith(call + ":", StringComparison.Ordinal) ? text[(call.Length + 1)..] : null;
    }
}

/// <summary>Reads an id.</summary>
public delegate bool TryParse<TId>(string? text, out TId id);
