using System.Globalization;

namespace ClaimCheck.Benchmarks;

/// <summary>What a process has used, from /proc.</summary>
internal static class ProcessCost
{
    private const double TicksPerSecond = 100;

    /// <summary>CPU seconds of the process so far, user and system.</summary>
    public static double CpuOf(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture))
            / TicksPerSecond;
    }

    /// <summary>The most memory that a process has had so far.</summary>
    public static long PeakOf(int pid)
    {
        var peak = File.ReadAllLines($"/proc/{pid}/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(peak.Split(' ', '\t').First(word => word.Length > 0 && char.IsAsciiDigit(word[0]))) * 1024;
    }

    /// <summary>The peak of memory counts from now on.</summary>
    public static void ForgetPeak(int pid)
    {
        try
        {
            File.WriteAllText($"/proc/{pid}/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then the peak is that of the whole run so far, which is never too small.
        }
    }

    /// <summary>What the shell's <c>times</c> has printed: its own and its children's seconds.</summary>
    public static double OfTimes(string text) =>
        text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Sum(time =>
            time.Split('m', 's') is [var minutes, var seconds, ..]
                ? (double.Parse(minutes, CultureInfo.InvariantCulture) * 60) + double.Parse(seconds, CultureInfo.InvariantCulture)
                : 0);
}
