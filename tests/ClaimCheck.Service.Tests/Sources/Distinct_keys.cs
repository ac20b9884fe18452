using System.Globalization;
using System.Text;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Startup;

namespace ClaimCheck.Service.Tests.Sources;

/// <summary>Keys compared in little memory: no duplicate is missed, and none is reported wrongly.</summary>
[Trait("needs", "nothing")]
public sealed class Distinct_keys : IDisposable
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"claimcheck-keys-{Guid.NewGuid():N}");

    [Theory]
    [InlineData(10, 1 << 20)] // all in memory
    [InlineData(5_000, 1 << 20)]
    [InlineData(5_000, 64 << 10)] // on disk
    [InlineData(10_000, 4 << 10)] // portions that are cut up again
    [InlineData(300, 0)]
    public void A_key_that_comes_twice_is_found_at_any_distance(int count, int memory)
    {
        var random = new Random(count + memory);
        (int First, int Second)[] places =
            [(1, count), (1, 2), (count - 1, count), .. Enumerable.Range(0, 3).Select(_ => Pair(random, count))];
        foreach (var (first, second) in places)
        {
            var failure = Assert.Throws<SourceException>(() => Hold(memory, Keys(count, random, (first, second))));
            Assert.Equal(("key_not_unique", false), (failure.Code, failure.IsTransient));
            Assert.Equal($"Record {second} has the key of record {first}.", failure.Message);
        }

        Assert.Equal(
            count * KeyTable.BytesOfEach > Math.Max(memory, 16 * KeyTable.BytesOfEach), Hold(memory, Keys(count, random, null)));
    }

    [Fact]
    public void Keys_that_are_almost_the_same_differ()
    {
        var near = new List<string> { "", "\0", "\0\0", "1", "01", "1 ", " 1", "1.0", "1.00", "a", "A", "é", "e\u0301" };
        foreach (var length in (int[])[38, 39, 40, 41, 1000, 100_000])
            near.AddRange([new('x', length), new string('x', length - 1) + "y", "y" + new string('x', length - 1)]);

        Hold(1 << 20, near);
        Hold(0, near);
        foreach (var key in near)
            Assert.Throws<SourceException>(() => Hold(0, [.. near, key]));
    }

    [Fact]
    public void One_key_for_all_records_ends_soon()
    {
        var failure = Assert.Throws<SourceException>(
            () => Hold(0, Enumerable.Range(0, 40_000).Select(i => i < 20 ? $"{i}" : "same")));

        Assert.StartsWith("Record ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_fit_into_memory_lies_in_files_without_a_name()
    {
        using var keys = new DistinctKeys(new KeySpace(new TemporaryFiles(directory), 0));
        for (var i = 0; i < 3_000; i++)
            keys.Add(Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture)), i + 1);

        Assert.True(keys.IsSpilled);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory));

        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => keys.Finish(stop.Token));
        keys.Finish(CancellationToken.None);
    }

    [Fact]
    public void What_a_killed_process_left_is_swept_and_nothing_else()
    {
        var files = new TemporaryFiles(directory);
        files.Sweep(); // there may be none
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "left.tmp"), "x");
        File.WriteAllText(Path.Combine(directory, "other"), "x");

        files.Sweep();

        Assert.Equal(["other"], Directory.GetFiles(directory).Select(path => Path.GetFileName(path)));
    }

    [Fact]
    public void A_disk_that_refuses_fails_the_export_for_a_while_and_says_so()
    {
        File.WriteAllText(directory, "not a folder");

        var failure = Assert.Throws<SourceException>(() => Hold(0, Enumerable.Range(0, 1000).Select(i => $"{i}")));

        Assert.Equal(("key_check_unavailable", true), (failure.Code, failure.IsTransient));
        Assert.Contains("data directory", failure.Message, StringComparison.Ordinal);
        Assert.Contains(
            "disk is full", KeySpace.Explain(new IOException("No space left on device", 28)).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        File.Delete(directory);
    }

    // True where they did not fit into memory.
    private bool Hold(long memory, IEnumerable<string> keys)
    {
        using var distinct = new DistinctKeys(new KeySpace(new TemporaryFiles(directory), memory));
        var record = 0L;
        foreach (var key in keys)
            distinct.Add(Encoding.UTF8.GetBytes(key), ++record);
        distinct.Finish(CancellationToken.None);
        return distinct.IsSpilled;
    }

    private static IEnumerable<string> Keys(int count, Random random, (int First, int Second)? same)
    {
        var salt = random.Next();
        return Enumerable.Range(1, count).Select(i => i == same?.Second ? same.Value.First : i)
            .Select(i => i % 3 == 0 ? $"{salt}-{i}-{new string('z', 60)}" : $"{salt}{i}");
    }

    private static (int First, int Second) Pair(Random random, int count)
    {
        var second = random.Next(2, count + 1);
        return (random.Next(1, second), second);
    }
}
