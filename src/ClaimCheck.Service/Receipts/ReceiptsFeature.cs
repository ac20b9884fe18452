using ClaimCheck.Service.Receipts.Ledger;

namespace ClaimCheck.Service.Receipts;

internal static class ReceiptsFeature
{
    public static WebApplicationBuilder AddReceipts(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<ReceiptOptions>("ClaimCheck:Receipts");
        builder.Services
            .AddSingleton<ReceiptLedger>()
            .AddSingleton<ReceiptOverview>()
            .AddSingleton<IReadyStep, RetryRoundStep>()
            .AddSingleton<IReadyStep, DeliveryGoalStep>()
            .AddSingleton<ReceiptReports>()
            .AddSingleton<ReceiptViews>()
            .AddSingleton<FailureIntake>()
            .AddSingleton<FailureLists>()
            .AddSingleton<Retries>()
            .AddSingleton<Redeliveries>();
        if (Roles.Of(builder.Configuration).IsWorker)
            builder.Services.AddHostedService<ReceiptWorker>();
        return builder;
    }

    public static IEndpointRouteBuilder MapReceipts(this IEndpointRouteBuilder routes) =>
        routes.MapReceiptCalls().MapFailures().MapOffers();
}
