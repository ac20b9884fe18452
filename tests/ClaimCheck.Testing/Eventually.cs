using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ClaimCheck.Testing;

/// <summary>Waits for conditions instead of sleeping.</summary>
internal static class Eventually
{
    /// <summary>Waits until the condition holds.</summary>
    /// <exception cref="TimeoutException">It did not in time; the text is the condition's own.</exception>
    public static async Task TrueAsync(
        Func<Task<bool>> condition, TimeSpan? atMost = null, [CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        var limit = atMost ?? TimeSpan.FromMinutes(2); // what a busy machine may need; only a failure takes that long
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > limit)
                throw new TimeoutException($"Not within {limit}: {what}");
            await Task.Delay(25);
        }
    }

    /// <summary>Waits until there is an answer.</summary>
    public static async Task<T> NotNullAsync<T>(
        Func<Task<T?>> answer, TimeSpan? atMost = null, [CallerArgumentExpression(nameof(answer))] string? what = null)
        where T : class
    {
        T? found = null;
        await TrueAsync(async () => (found = await answer()) is not null, atMost, what);
        return found!;
    }
}
