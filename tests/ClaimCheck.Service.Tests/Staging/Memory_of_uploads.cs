using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Tests.Staging;

/// <summary>Measures the whole process, so that no other test may run meanwhile.</summary>
[CollectionDefinition(nameof(Memory_of_uploads), DisableParallelization = true)]
[Collection(nameof(Memory_of_uploads))]
public sealed class Memory_of_uploads
{
    [Fact]
    public async Task Memory_does_not_grow_with_the_object()
    {
        await using var lab = await S3Lab.NewAsync();
        var some = StagingLab.Content(1 << 20);
        await using var writer = lab.Staging.OpenWriter(
            await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default));
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

        // What its options allow to be sent at a time and to be filled meanwhile, and 8 MiB for everything else.
        var bound = ((lab.Options.ParallelParts + 1) * lab.Options.PartBytes) + (8 << 20);
        Assert.True(most - before < bound, $"It grew by {(most - before) >> 20} MiB, but may hold {bound >> 20} MiB.");
        Assert.Equal(200L << 20, Assert.Single(await lab.ListAsync()).Bytes);
    }
}
