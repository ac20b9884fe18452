namespace ClaimCheck.Cli.Output;

/// <summary>The growth of a figure over the last few seconds.</summary>
internal sealed class Rate
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    private readonly Queue<(long At, long Value)> samples = new();

    /// <returns>Growth per second; 0 before it is known.</returns>
    public double Add(long value)
    {
        var now = Stopwatch.GetTimestamp();
        if (samples.Count > 0 && value < samples.Last().Value)
            samples.Clear(); // a new attempt counts from the beginning
        samples.Enqueue((now, value));
        while (samples.Count > 2 && Stopwatch.GetElapsedTime(samples.Peek().At, now) > Window)
            samples.Dequeue();
        var (since, first) = samples.Peek();
        var seconds = Stopwatch.GetElapsedTime(since, now).TotalSeconds;
        return seconds > 0.05 ? (value - first) / seconds : 0;
    }
}
