using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Tests.Staging;

/// <summary>Measures the whole process, so that no other test may run meanwhile.</summary>
[CollectionDefinition(nameof(S3MemoryTests), DisableParallelization = true)]
[Collection(nameof(S3MemoryTests))]
public sealed class S3MemoryTests
{
    [Fact]
    public async Task Memory_does_not_grow_with_the_object()
    {
        await using var lab = await S3Lab.NewAsync();
        var some = StagingLab.Content(1 << 20);
        await using var writer = lab.Staging.OpenWriter(await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default));
        for (var i = 0; i < 20; i++)
            await writer.WriteAsync(some, default);
        var (before, most) = (GC.GetTotalMemory(forceFullCollection: true), 0L);

        for (var i = 0; i < 180; i++)
        {
            await writer.WriteAsync(some, default);
            if (i % 20 == 0)
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true));
        }
        await writer.CompleteAsync(default);

        Assert.True(most - before < 30 << 20, $"It grew by {(most - before) >> 20} MiB.");
        Assert.Equal(200L << 20, Assert.Single(await lab.ListAsync()).Bytes);
    }
}
