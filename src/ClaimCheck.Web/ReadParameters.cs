namespace ClaimCheck.Web;

/// <summary>A header or query parameter that a call reads from the request itself, where its signature
/// does not show it.</summary>
/// <param name="Name">As it is written.</param>
/// <param name="IsHeader">If not, it is a query parameter.</param>
/// <param name="Description">For the description of the API.</param>
/// <param name="IsRepeatable">A query parameter that may be given more than once.</param>
public sealed record ReadParameter(string Name, bool IsHeader, string Description, bool IsRepeatable = false);

/// <summary>Declares what a call reads.</summary>
public static class ReadParameters
{
    /// <summary>Declares a header that the call honours.</summary>
    public static TBuilder ReadsHeader<TBuilder>(this TBuilder builder, string name, string description)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ReadParameter(name, true, description));

    /// <summary>Declares a query parameter that the call honours.</summary>
    public static TBuilder ReadsQuery<TBuilder>(this TBuilder builder, string name, string description)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ReadParameter(name, false, description));

    /// <summary>The headers of answers with ranges.</summary>
    public static TBuilder ReadsRanges<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.ReadsHeader("Range", "One range of bytes.").ReadsHeader("If-Match", "The ETag that it must have.")
            .ReadsHeader("If-Range", "The ETag that the range is of.");

    /// <summary>The two parameters of every list.</summary>
    public static TBuilder ReadsPaging<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.ReadsQuery("limit", "How many at most, 1 to 1000; 100 by default.")
            .ReadsQuery("cursor", "The nextCursor of the page before.");
}
