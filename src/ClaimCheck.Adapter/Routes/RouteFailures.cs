namespace ClaimCheck.Adapter.Routes;

/// <summary>
/// Why a route's background work (its schedule, its retention) fails at present. Only this process remembers it.
/// </summary>
internal sealed class RouteFailures(TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Route, string Step), StepFailure> all = new();

    public void Failed(string route, string step, string code, string detail, TimeSpan pause) =>
        all[(route, step)] = StepFailure.After(all.GetValueOrDefault((route, step)), step, code, detail, time.GetUtcNow(), pause);

    public void Succeeded(string route, string step) => all.TryRemove((route, step), out _);

    /// <summary>The last one, or null.</summary>
    public StepFailure? Of(string route) =>
        all.Where(each => each.Key.Route == route).Select(each => each.Value).MaxBy(failure => failure.At);
}
