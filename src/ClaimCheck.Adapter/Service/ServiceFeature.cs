namespace ClaimCheck.Adapter.Service;

/// <summary>What calls the service beside the library's client.</summary>
internal static class ServiceFeature
{
    public static WebApplicationBuilder AddService(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ServiceApi>();
        return builder;
    }
}
