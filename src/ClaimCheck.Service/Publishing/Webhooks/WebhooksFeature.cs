namespace ClaimCheck.Service.Publishing.Webhooks;

internal static class WebhooksFeature
{
    public static WebApplicationBuilder AddWebhooks(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<WebhookOptions>("ClaimCheck:Webhooks");
        builder.Services
            .AddSingleton<ResolveHost>(Dns.GetHostAddressesAsync)
            .AddSingleton<ConnectTo>(ConnectionRace.TcpAsync).AddSingleton<ConnectionRace>()
            .AddSingleton<WebhookAddresses>().AddSingleton<WebhookSender>().AddSingleton<WebhookPosts>()
            .AddSingleton<WebhookSecrets>().AddSingleton<WebhookDeliveries>();
        if (Roles.Of(builder.Configuration).IsWorker)
            builder.Services.AddHostedService<WebhookFanOut>().AddHostedService<WebhookRelay>();
        return builder;
    }
}
