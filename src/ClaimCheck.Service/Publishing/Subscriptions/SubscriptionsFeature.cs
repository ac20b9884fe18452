using Amazon.SQS;
using ClaimCheck.Aws;

namespace ClaimCheck.Service.Publishing.Subscriptions;

internal static class SubscriptionsFeature
{
    public static WebApplicationBuilder AddSubscriptions(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<SubscriptionOptions>("ClaimCheck:Subscriptions");
        builder.Services
            // Created at the first call: a service without a topic needs no region.
            .AddSingleton(_ => Sqs.Connect()).AddSingleton<Func<IAmazonSQS>>(provider => provider.GetRequiredService<IAmazonSQS>)
            .AddSingleton<SubscriptionStore>().AddSingleton<SubscriptionReader>().AddSingleton<SubscriptionViews>()
            .AddSingleton<TopicSubscriptions>().AddSingleton<QueueWarnings>()
            .AddSingleton<SubscriptionTest>().AddSingleton<WebhookLog>();
        if (Roles.Of(builder.Configuration).IsWorker)
            builder.Services.AddHostedService<SubscriptionWorker>();
        return builder;
    }
}
