namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>The subscriptions to events. Calls for webhooks only are in <c>Webhooks/</c>.</summary>
internal static class SubscriptionEndpoints
{
    private const string ListCall = "subscriptions";
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(5);

    public static IEndpointRouteBuilder MapSubscriptions(this IEndpointRouteBuilder routes)
    {
        var subscriptions = routes.MapGroup("/v1/subscriptions").WithTags("Subscriptions").ProducesProblems(401);
        subscriptions.MapPost("", Create).WithName("CreateSubscription")
            .WithSummary(
                "Subscribes a queue (sqs) or an address (webhook). The same again is answered with 200, without the secret.")
            .Accepts<SubscriptionRequest>("application/json").ProducesProblems(400, 409, 413, 415, 422, 503);
        subscriptions.MapMethods("", [HttpMethods.Get, HttpMethods.Head], List).WithName("ListSubscriptions")
            .WithSummary("Lists subscriptions, newest first.")
            .ReadsPaging().ProducesProblems(400);
        subscriptions.MapMethods("/{subscriptionId}", [HttpMethods.Get, HttpMethods.Head], Get).WithName("GetSubscription")
            .WithSummary("One subscription.")
            .ProducesProblems(404);
        subscriptions.MapDelete("/{subscriptionId}", Delete).WithName("DeleteSubscription")
            .WithSummary("Ends a subscription, at SNS too.")
            .ProducesProblems(404, 503);
        return routes;
    }

    private static async Task<Results<Created<Subscription>, Ok<Subscription>, ProblemResult>> Create(
        HttpContext context, Caller caller, SubscriptionReader reader, SubscriptionStore store, TopicSubscriptions topics,
        SubscriptionViews views,
        CancellationToken cancellationToken)
    {
        var (body, badBody) = await JsonBody.ReadAsync(context.Request, cancellationToken);
        if (badBody is not null)
            return badBody;
        var (wanted, refusal) = await reader.ReadAsync(caller, body!.Value, cancellationToken);
        if (refusal is not null)
            return Problems.Of(refusal);

        var isWebhook = wanted!.Protocol == SubscriptionProtocol.Webhook;
        var secret = isWebhook ? WebhookSignature.NewSecret() : null;
        Guid? token = isWebhook ? null : Guid.NewGuid();
        var (made, isNew) = await store.CreateAsync(caller, wanted, secret, token, cancellationToken);
        if (made is not { } row)
            return Problems.Of(ProblemCodes.LimitReached, $"There are {SubscriptionStore.Most} subscriptions.");
        if (!isNew && !IsSame(row, wanted, caller))
            return Problems.Of(ProblemCodes.SubscriptionExists);
        if (row.State == SubscriptionState.Deleting)
            return Problems.Of(ProblemCodes.TopicUnavailable, "The queue's subscription is being deleted.", retryAfter: AskAgain);
        if (row.State == SubscriptionState.Pending)
        {
            var settled = isNew
                ? await topics.SettleAsync(row, token!.Value, deleteIfRefused: true, cancellationToken)
                : await topics.SettleAsync(row.SubscriptionId, deleteIfRefused: false, cancellationToken);
            if (Refusal(settled) is { } notSettled)
                return notSettled;
            // Null where it was deleted at this very moment.
            row = await store.FindAsync(caller, row.SubscriptionId.ToString(), cancellationToken) ?? row;
        }

        return isNew
            ? TypedResults.Created(SubscriptionViews.PathOf(row.SubscriptionId), views.Show(row, secret))
            : TypedResults.Ok(views.Show(row));
    }

    private static async Task<Results<Ok<Subscription>, ProblemResult>> Get(
        string subscriptionId, Caller caller, SubscriptionStore store, SubscriptionViews views,
        CancellationToken cancellationToken)
    {
        if (await store.FindAsync(caller, subscriptionId, cancellationToken) is not { } row)
            return Problems.NotFound("subscription");
        return TypedResults.Ok(views.Show(row));
    }

    private static async Task<Results<Ok<Page<Subscription>>, ProblemResult>> List(
        HttpContext context, string? consumer, Caller caller, SubscriptionStore store, SubscriptionViews views,
        CancellationToken cancellationToken)
    {
        if (Paging.Read(context.Request, ListCall, out var refusal) is not { } paging)
            return refusal!;
        if (consumer is not null && !Caller.IsConsumer(consumer))
            return Problems.Of(
                ProblemCodes.InvalidParameter, "consumer must be up to 64 letters, digits, dots, dashes and underscores.");
        if (!paging.TryAfter<SubscriptionId>(SubscriptionId.TryParse, out var before))
            return Problems.Of(ProblemCodes.InvalidCursor);
        var rows = await store.ListAsync(caller, consumer, before, paging.WithNext, cancellationToken);
        return TypedResults.Ok(paging.Of(rows, row => views.Show(row), row => row.SubscriptionId.ToString()));
    }

    private static async Task<Results<NoContent, ProblemResult>> Delete(
        string subscriptionId, Caller caller, SubscriptionStore store, TopicSubscriptions topics,
        CancellationToken cancellationToken)
    {
        if (await store.FindAsync(caller, subscriptionId, cancellationToken) is not { } row)
            return Problems.NotFound("subscription");
        if (await store.DeleteAsync(row, cancellationToken)
            || await topics.SettleAsync(row.SubscriptionId, deleteIfRefused: true, cancellationToken) == Settling.Done)
        {
            return TypedResults.NoContent();
        }

        return Problems.Of(
            ProblemCodes.TopicUnavailable,
            "SNS can't be asked to end the subscription at present. It is marked, and ended when SNS answers.",
            retryAfter: AskAgain);
    }

    private static ProblemResult? Refusal(Settling settled) => settled switch
    {
        Settling.Done => null,
        Settling.Taken => Problems.Of(
            ProblemCodes.SubscriptionExists,
            "The topic has a subscription of that queue that was not made here: delete it at SNS first."),
        Settling.Refused => Problems.Invalid(
            new Dictionary<string, string[]> { ["endpoint"] = ["SNS does not take this queue; the service's log says why."] }),
        _ => Problems.Of(
            ProblemCodes.TopicUnavailable,
            "SNS can't be asked at present. The subscription is kept as pending, and completed when SNS answers.",
            retryAfter: AskAgain),
    };

    private static bool IsSame(SubscriptionRow row, NewSubscription wanted, Caller caller) =>
        row.Tenant == caller.Tenant && row.Consumer == wanted.Consumer && Equal(row.Datasets, wanted.Datasets)
        && Equal(row.Types, wanted.Types)
        && row.ContentType == wanted.ContentType;

    private static bool Equal(string[]? one, string[]? other) =>
        one is null || other is null ? one is null && other is null : one.SequenceEqual(other, StringComparer.Ordinal);
}
