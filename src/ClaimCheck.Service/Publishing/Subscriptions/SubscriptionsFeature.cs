using System.Net;
using Amazon.SQS;
using ClaimCheck.Aws;
using ClaimCheck.Service.Hosting;
using ClaimCheck.Service.Publishing.Webhooks;

namespace ClaimCheck.Service.Publishing.Subscriptions;

internal static class SubscriptionsFeature
{
    public static WebApplicationBuilder AddSubscriptions(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<SubscriptionSettings>("ClaimCheck:Subscriptions").AddCheckedOptions<WebhookSettings>("ClaimCheck:Webhooks");
        builder.Services
            // Made at the first call: a service without a topic needs no region.
            .AddSingleton(_ => Sqs.Connect()).AddSingleton<Func<IAmazonSQS>>(provider => provider.GetRequiredService<IAmazonSQS>)
            .AddSingleton<SubscriptionStore>().AddSingleton<SubscriptionReader>().AddSingleton<SubscriptionViews>()
            .AddSingleton<TopicSubscriptions>().AddSingleton<QueueWarnings>()
            .AddSingleton<ResolveHost>(Dns.GetHostAddressesAsync)
            .AddSingleton<ConnectTo>(ConnectionRace.TcpAsync).AddSingleton<ConnectionRace>()
            .AddSingleton<WebhookAddresses>().AddSingleton<WebhookSender>().AddSingleton<WebhookPosts>()
            .AddSingleton<WebhookSecrets>().AddSingleton<WebhookDeliveries>().AddSingleton<WebhookLog>();
        if (Roles.Of(builder.Configuration).IsWorker)
            builder.Services.AddHostedService<SubscriptionSettler>().AddHostedService<WebhookFanOut>().AddHostedService<WebhookRelay>();
        return builder;
    }
}
