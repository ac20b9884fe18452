using System.Buffers.Text;
using System.Globalization;
using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Web;

namespace ClaimCheck.Adapter.Hosting;

/// <summary>The page that a caller asks for, newest first: <c>?limit=&amp;cursor=</c>. Cursors are opaque to callers.</summary>
internal sealed record Paging(int Limit, DateTimeOffset? Before, string? BeforeId)
{
    private const int Default = 100;
    private const int Most = 1000;

    /// <summary>Reads the two parameters.</summary>
    /// <param name="request">The request.</param>
    /// <param name="refusal">Set where the answer is null.</param>
    public static Paging? Read(HttpRequest request, out ProblemResult? refusal)
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
            return new(limit, null, null);
        if (Open(cursor.ToString()) is var (at, id))
            return new(limit, at, id);
        refusal = Problems.Of(ProblemCodes.InvalidCursor);
        return null;
    }

    public static string Cursor(DateTimeOffset at, string id) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{at.UtcTicks} {id}"));

    /// <summary>Whether an item comes after the previous page.</summary>
    public bool IsAfter(DateTimeOffset at, string id) =>
        Before is null || at < Before || (at == Before && string.CompareOrdinal(id, BeforeId) < 0);

    private static (DateTimeOffset At, string Id)? Open(string cursor)
    {
        if (cursor.Length is 0 or > 200 || !Base64Url.IsValid(cursor))
            return null;
        return Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)).Split(' ') is [var ticks, var id]
            && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTimeOffset.MaxValue.UtcTicks
            ? (new(at, TimeSpan.Zero), id)
            : null;
    }
}

/// <summary>The two parameters, for the declaration of a call's parameters.</summary>
internal static class PagingParameters
{
    /// <summary>Declares that the call reads the two parameters.</summary>
    public static TBuilder ReadsPaging<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ReadParameter("limit", false, "How many at most."), new ReadParameter("cursor", false, "The nextCursor of the page before."));
}
