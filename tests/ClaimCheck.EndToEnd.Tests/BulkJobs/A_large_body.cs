using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.BulkJobs;

/// <summary>Memory does not grow with the body.</summary>
public sealed class A_large_body
{
    private const int Items = 40_000;

    // Less than the body has. What the garbage collector leaves lying is not measured: it would go by the machine's load.
    private const long HeapLimit = 200_000_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_of_three_hundred_megabytes_is_streamed_to_staging_and_applied_in_bounded_memory(bool onS3)
    {
        await using var scene = await JobScene.CreateAsync(10, onS3: onS3);
        scene.AddOperation("note", "set",
            "UPDATE orders o SET status = left(i.status, 3) FROM items i WHERE o.id = i.id AND false RETURNING i.ordinal",
            """, "chunk": 100 """);
        scene.Scene.Settings["DOTNET_GCHeapHardLimit"] = HeapLimit.ToString("X", CultureInfo.InvariantCulture);
        var service = await scene.Scene.StartServiceAsync();
        using var http = service.NewHttp();
        http.Timeout = TimeSpan.FromMinutes(3);
        using var content = new LongBody();
        using var answer = await http.PostAsync("/v1/bulk-jobs?operation=note", content);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var job = (await answer.Content.ReadFromJsonAsync<BulkJob>(ClaimCheckJson.Options))!;
        Assert.Equal(Items, job.TotalItems);

        var ended = await JobScene.EndedAsync(http, job);

        Assert.Equal((BulkJobStatus.Completed, Items), (ended.Status, ended.Failed));
    }

    // Written as it is sent: the test holds none of it either.
    private sealed class LongBody : HttpContent
    {
        private static readonly byte[] Line = Encoding.UTF8.GetBytes(
            $$"""{"id":"ord_x","status":"{{new string('y', 7_700)}}"}""" + "\n");

        public LongBody() => Headers.ContentType = new("application/x-ndjson");

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var i = 0; i < Items; i++)
                await stream.WriteAsync(Line);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = (long)Items * Line.Length;
            return true;
        }
    }
}
