using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Http;
using ClaimCheck.Service.Http.Access;

namespace ClaimCheck.Service.Publishing;

/// <summary><c>GET /v1/events</c>: the feed as pages that may wait, or as a stream of server-sent events.</summary>
internal static class EventEndpoints
{
    private const string Call = "events";
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    public static IEndpointRouteBuilder MapEvents(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/v1/events", [HttpMethods.Get, HttpMethods.Head], Read).WithName("ReadEvents").WithTags("Events")
            .WithSummary("The event feed, oldest first: a page (?after=&wait=&limit=), or text/event-stream.")
            .ReadsQuery("wait", "How many seconds to wait for an event, 0 to 60.").ReadsQuery("limit", "How many at most, 1 to 1000; 100 by default.")
            .ReadsHeader("Last-Event-ID", "For the stream: the id of the last event that was read.")
            .Produces<Page<BulkEvent>>().Produces(200, contentType: "text/event-stream").ProducesProblems(400, 401, 410);
        return routes;
    }

    private static async Task<IResult> Read(
        HttpContext context, string? after, Caller caller, EventFeed feed, TimeProvider time, IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
    {
        var isStream = context.Request.GetTypedHeaders().Accept.Any(type => type.MediaType == "text/event-stream");
        if (isStream && context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } last)
            after = last;
        FeedPlace? cursor = null;
        if (!string.IsNullOrEmpty(after))
        {
            cursor = FeedPlace.Read(after);
            if (cursor is null)
                return Problems.Of(ProblemCodes.InvalidCursor);
        }

        if (await feed.FindAsync(cursor, cancellationToken) is not { } place)
            return Problems.Of(ProblemCodes.CursorExpired);
        if (Paging.Read(context.Request, Call, out var badPage) is not { } paging)
            return badPage!;
        if (Waiting.Query(context.Request, out var badWait) is not { } wait)
            return badWait!;
        if (isStream)
            return new EventStream(feed, caller, place, time, lifetime);

        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        var began = time.GetTimestamp();
        var head = place.Position; // or beyond: then the first wait ends at once, and reports it
        while (true)
        {
            using var moved = feed.Beyond(head);
            if (await feed.ReadAsync(caller, place, paging.Limit, cancellationToken) is not var (events, next))
                return Problems.Of(ProblemCodes.CursorExpired);
            var left = wait - time.GetElapsedTime(began);
            if (events.Count > 0 || left <= TimeSpan.Zero || stopping.IsCancellationRequested)
            {
                context.Response.Headers.CacheControl = "no-store";
                return TypedResults.Ok(new Page<BulkEvent>([.. events.Select(positioned => positioned.Event)], next.ToString()));
            }

            // When the service stops the answer is an empty page.
            if (await moved.WithinAsync(left, time, stopping.Token))
                head = await moved.Happened;
        }
    }

    // https://html.spec.whatwg.org/multipage/server-sent-events.html
    private sealed class EventStream(EventFeed feed, Caller caller, FeedPlace after, TimeProvider time, IHostApplicationLifetime lifetime) : IResult
    {
        private const int AtOnce = 100;

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.ContentType = "text/event-stream";
            response.Headers.CacheControl = "no-store";
            if (HttpMethods.IsHead(httpContext.Request.Method))
                return;

            var (place, seen) = (after, after.Position);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, lifetime.ApplicationStopping);
            try
            {
                await response.WriteAsync("retry: 2000\n\n", ended.Token);
                while (true)
                {
                    using var moved = feed.Beyond(seen);
                    // The cursor has expired: a reader that reconnects with the last id gets 410.
                    if (await feed.ReadAsync(caller, place, AtOnce, ended.Token) is not var (events, next))
                        return;
                    place = next;
                    foreach (var positioned in events)
                    {
                        var json = JsonSerializer.Serialize(positioned.Event, ClaimCheckJson.Options);
                        await response.WriteAsync($"id: {positioned.Place}\ndata: {json}\n\n", ended.Token);
                    }

                    await response.Body.FlushAsync(ended.Token);
                    if (events.Count == AtOnce)
                        continue;
                    while (!await moved.WithinAsync(KeepAlive, time, ended.Token))
                    {
                        await response.WriteAsync(": still here\n\n", ended.Token);
                        await response.Body.FlushAsync(ended.Token);
                    }

                    seen = await moved.Happened;
                }
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                // The reader has gone, or the service stops.
            }
        }
    }
}
