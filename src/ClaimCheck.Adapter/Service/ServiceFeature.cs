namespace ClaimCheck.Adapter.Service;

/// <summary>Registers the calls of the service that the library's client does not have.</summary>
internal static class ServiceFeature
{
    public static WebApplicationBuilder AddService(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ServiceApi>();
        return builder;
    }
}
