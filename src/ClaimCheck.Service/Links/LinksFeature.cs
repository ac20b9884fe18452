namespace ClaimCheck.Service.Links;

internal static class LinksFeature
{
    public static WebApplicationBuilder AddLinks(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LinkMinter>();
        return builder;
    }
}
