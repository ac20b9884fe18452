namespace ClaimCheck.Adapter.Notices;

/// <summary>What tells consumer systems.</summary>
internal static class NoticesFeature
{
    public static WebApplicationBuilder AddNotices(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<NoticeSender>();
        return builder;
    }
}
