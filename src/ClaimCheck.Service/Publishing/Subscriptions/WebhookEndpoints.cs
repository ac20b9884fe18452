using ClaimCheck.Service.Publishing.Webhooks;

namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>The calls for a subscription that is a webhook: list its deliveries, deliver again, test it, rotate its
/// secret.</summary>
internal static class WebhookEndpoints
{
    private const string ListCall = "deliveries";
    private static readonly string[] States =
        [WebhookDeliveryState.Pending, WebhookDeliveryState.Delivered, WebhookDeliveryState.Failed,
            WebhookDeliveryState.Superseded];

    public static IEndpointRouteBuilder MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var hooks = routes.MapGroup("/v1/subscriptions/{subscriptionId}").WithTags("Subscriptions")
            .ProducesProblems(401, 404, 409);
        hooks.MapMethods("/deliveries", [HttpMethods.Get, HttpMethods.Head], List).WithName("ListDeliveries")
            .WithSummary("A webhook's deliveries, of the newest events first; kept as long as the feed keeps the events.")
            .ReadsPaging().ProducesProblems(400);
        hooks.MapPost("/deliveries/{eventId}", Redeliver).WithName("Redeliver")
            .WithSummary("Delivers an event once more, with all its tries.");
        hooks.MapPost("/test", Test).WithName("TestSubscription")
            .WithSummary($"Sends an event of the type {WebhookTest.EventType}, once, and answers with what happened.");
        hooks.MapPost("/secret", Rotate).WithName("RotateSecret")
            .WithSummary("Answers with a new secret, shown once; the old one also signs for a while.");
        return routes;
    }

    private static async Task<Results<Ok<Page<WebhookDelivery>>, ProblemResult>> List(
        string subscriptionId, HttpContext context, string? state, Caller caller, SubscriptionStore store, WebhookLog log,
        CancellationToken cancellationToken)
    {
        var (row, refusal) = await FindAsync(subscriptionId, caller, store, cancellationToken);
        if (row is null)
            return refusal!;
        if (Paging.Read(context.Request, ListCall, out var badPage) is not { } paging)
            return badPage!;
        if (state is not null && !States.Contains(state, StringComparer.Ordinal))
            return Problems.Of(ProblemCodes.InvalidParameter, $"state must be one of {string.Join(", ", States)}.");
        long? before = null;
        if (paging.After is not null)
        {
            if (!long.TryParse(paging.After, NumberStyles.None, CultureInfo.InvariantCulture, out var last))
                return Problems.Of(ProblemCodes.InvalidCursor);
            before = last;
        }

        var rows = await log.ListAsync(row, state, before, paging.WithNext, cancellationToken);
        return TypedResults.Ok(paging.Of(
            rows, delivery => log.Show(row, delivery), delivery => delivery.Position.ToString(CultureInfo.InvariantCulture)));
    }

    private static async Task<Results<Accepted<WebhookDelivery>, ProblemResult>> Redeliver(
        string subscriptionId, string eventId, Caller caller, SubscriptionStore store, WebhookLog log,
        CancellationToken cancellationToken)
    {
        var (row, refusal) = await FindAsync(subscriptionId, caller, store, cancellationToken);
        if (row is null)
            return refusal!;
        if (row.State == SubscriptionState.Disabled)
            return Problems.Of(ProblemCodes.SubscriptionDisabled);
        return EventId.TryParse(eventId, out var id) && await log.BeginAgainAsync(row, id, cancellationToken) is { } delivery
            ? TypedResults.Accepted($"{SubscriptionViews.PathOf(row.SubscriptionId)}/deliveries", log.Show(row, delivery))
            : Problems.NotFound("delivery");
    }

    private static async Task<Results<Ok<WebhookTest>, ProblemResult>> Test(
        string subscriptionId, Caller caller, SubscriptionStore store, SubscriptionTest test, CancellationToken cancellationToken)
    {
        var (row, refusal) = await FindAsync(subscriptionId, caller, store, cancellationToken);
        if (row is null)
            return refusal!;
        var (id, answer) = await test.SendAsync(row, cancellationToken);
        return TypedResults.Ok(new WebhookTest
        {
            EventId = id,
            Delivered = answer.IsDelivered,
            Status = answer.Status,
            Failure = answer.Failure,
            DurationMilliseconds = (long)answer.Took.TotalMilliseconds,
        });
    }

    private static async Task<Results<Ok<Subscription>, ProblemResult>> Rotate(
        string subscriptionId, Caller caller, SubscriptionStore store, WebhookSecrets secrets, SubscriptionViews views,
        CancellationToken cancellationToken)
    {
        var (row, refusal) = await FindAsync(subscriptionId, caller, store, cancellationToken);
        if (row is null)
            return refusal!;
        if (await secrets.RotateAsync(row.SubscriptionId, cancellationToken) is not { } secret)
            return Problems.NotFound("subscription");
        return TypedResults.Ok(views.Show(row, secret));
    }

    private static async Task<(SubscriptionRow? Row, ProblemResult? Refusal)> FindAsync(
        string id, Caller caller, SubscriptionStore store, CancellationToken cancellationToken) =>
        await store.FindAsync(caller, id, cancellationToken) switch
        {
            null => (null, Problems.NotFound("subscription")),
            { IsWebhook: false } => (null, Problems.Of(ProblemCodes.NotAWebhook)),
            var row => (row, null),
        };
}
