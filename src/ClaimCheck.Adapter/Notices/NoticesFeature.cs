namespace ClaimCheck.Adapter.Notices;

/// <summary>Registers the notices to consumer systems.</summary>
internal static class NoticesFeature
{
    public static WebApplicationBuilder AddNotices(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<NoticeSender>();
        return builder;
    }
}
