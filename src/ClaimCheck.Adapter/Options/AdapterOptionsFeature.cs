namespace ClaimCheck.Adapter.Options;

/// <summary>The checked options, for every feature that stands on them.</summary>
internal static class AdapterOptionsFeature
{
    public static WebApplicationBuilder AddAdapterOptions(this WebApplicationBuilder builder, CheckedAdapterOptions options)
    {
        builder.Services.AddSingleton(options);
        return builder;
    }
}
