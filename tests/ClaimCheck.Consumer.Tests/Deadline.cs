using System.Diagnostics;

namespace ClaimCheck.Consumer.Tests;

/// <summary>Waits for a condition, not for a time.</summary>
internal static class Deadline
{
    public static async Task UntilAsync(Func<bool> holds)
    {
        var watch = Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromMinutes(2), "What was waited for did not happen within two minutes.");
            await Task.Delay(5);
        }
    }
}
