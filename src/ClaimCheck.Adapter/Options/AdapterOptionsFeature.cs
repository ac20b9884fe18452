namespace ClaimCheck.Adapter.Options;

/// <summary>Registers the checked options.</summary>
internal static class AdapterOptionsFeature
{
    public static WebApplicationBuilder AddAdapterOptions(this WebApplicationBuilder builder, CheckedAdapterOptions options)
    {
        builder.Services.AddSingleton(options);
        return builder;
    }
}
