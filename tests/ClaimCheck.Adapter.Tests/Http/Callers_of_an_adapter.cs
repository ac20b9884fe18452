using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Http;

/// <summary>Who may call, what may be sent, and what is answered.</summary>
public sealed class Callers_of_an_adapter
{
    private const string Crm = "crm-key-crm-key-crm-key-crm-key-crm";
    private const string Erp = "erp-key-erp-key-erp-key-erp-key-erp";

    [Fact]
    public async Task Whatever_is_sent_is_answered_with_a_code_and_has_no_effect()
    {
        await using var scene = await AdapterScene.CreateAsync(items: 10);
        scene.AddRoute("crm", "ar-4");
        scene.AddRoute("nightly", "ar-2")["Events"] = "feed";
        await scene.StartAsync();
        foreach (var (body, status) in new (string, int)[]
                 {
                     ("", 400), ("{", 400), ("[]", 400), ("null", 400), ("\"x\"", 400), ("{\"a\":1,\"a\":2}", 400),
                     (string.Concat(Enumerable.Repeat("[", 5000)), 400), ("{\"route\":\"\\ud800\"}", 400),
                     ("{\"route\":1}", 422), ("{\"route\":\"none\"}", 422), ("{\"route\":\"nightly\"}", 422),
                     ("{\"what\":1}", 422),
                     ("{\"criteria\":[]}", 422), ("{\"criteria\":\"x\"}", 422),
                     ("{\"route\":\"crm\",\"criteria\":{\"least\":\"x\"}}", 422),
                     ("{\"route\":\"" + new string('x', 2 << 20) + "\"}", 413),
                 })
        {
            using var response = await scene.Http.PostAsync(
                "/exports", new StringContent(body, Encoding.UTF8, "application/json"));
            await IsProblemAsync(response, status);
        }

        using (var text = await scene.Http.PostAsync("/exports", new StringContent("{}", Encoding.UTF8, "text/plain")))
            await IsProblemAsync(text, 415);
        foreach (var (path, status) in new (string, int)[]
                 {
                     ("/exports/none", 404), ("/exports/dlv_..%2f..%2fx", 404), ("/nowhere", 404), ("/exports?limit=0", 400),
                     ("/exports?limit=x", 400),
                     ("/exports?cursor=%00", 400), ("/exports?cursor=AAAA", 400), ("/exports?route=none", 400),
                     ("/exports?rout=crm", 400), ("/exports?limit=1&limit=2", 400), ("/routes?limit=1", 400),
                     ("/imports?routes=x", 400), ("/health/live?x=1", 400),
                 })
        {
            using var response = await scene.Http.GetAsync(path);
            await IsProblemAsync(response, status);
        }

        using (var misspelt = await scene.Http.PostAsync("/exports?rout=crm", JsonContent.Create(new { route = "crm" })))
        {
            await IsProblemAsync(misspelt, 400);
            Assert.Contains("unknown_parameter", await misspelt.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        using (var slip = await scene.Http.GetAsync("/exports?rout=crm"))
            Assert.Contains("the nearest is route", await slip.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using (var put = await scene.Http.PutAsync("/exports", null))
            await IsProblemAsync(put, 405);
        using (var run = await scene.Http.PostAsync("/routes/crm/runs", null))
            await IsProblemAsync(run, 404);
        using (var key = new HttpRequestMessage(HttpMethod.Post, "/exports") { Content = JsonContent.Create(new { }) })
        {
            key.Headers.TryAddWithoutValidation("Idempotency-Key", new string('k', 300));
            using var response = await scene.Http.SendAsync(key);
            await IsProblemAsync(response, 400);
        }

        foreach (var value in (string[])["NaN", "-1", "1e400", "\"", "*", ",", "", "null", new('9', 5000)])
        {
            foreach (var (method, path) in new[] { ("POST", "/exports"), ("GET", "/exports"), ("GET", "/routes"),
                ("GET", "/imports"), ("POST", "/routes/crm/runs"), ("DELETE", "/exports/none") })
            {
                using var hostile = new HttpRequestMessage(new(method), path);
                if (method == "POST")
                    hostile.Content = new StringContent("[]", Encoding.UTF8, "application/json");
                foreach (var name in (string[])["Prefer", "Range", "If-Match", "If-Range", "If-Modified-Since", "Accept",
                    "Accept-Encoding", "traceparent", "Idempotency-Key", "ClaimCheck-Consumer"])
                    hostile.Headers.TryAddWithoutValidation(name, name == "Prefer" ? $"wait={value}" : value);
                using var response = await scene.Http.SendAsync(hostile);
                Assert.True((int)response.StatusCode < 500, $"{method} {path} with '{value}': {response.StatusCode}");
            }
        }

        using (var foreign = new HttpRequestMessage(HttpMethod.Post, "/exports") { Content = JsonContent.Create(new { }) })
        {
            foreign.Headers.Add("Origin", "https://elsewhere.example");
            using var response = await scene.Http.SendAsync(foreign);
            await IsProblemAsync(response, 403);
        }

        using (var named = new HttpRequestMessage(HttpMethod.Get, "/exports"))
        {
            named.Headers.Host = "adapter.example";
            using var response = await scene.Http.SendAsync(named);
            await IsProblemAsync(response, 421);
        }

        Assert.Empty(await scene.AtServiceAsync());
    }

    [Fact]
    public async Task A_key_opens_the_routes_that_name_it_and_the_others_do_not_exist_for_it()
    {
        await using var scene = await AdapterScene.CreateAsync(items: 10);
        scene.Settings["ApiKeys"] = new JsonObject { ["crm"] = Crm, ["erp"] = Erp };
        scene.AddRoute("crm", "ar-4")["Callers"] = new JsonArray("crm");
        scene.AddRoute("erp", "ar-4")["Callers"] = new JsonArray("erp");
        await scene.StartAsync();

        using (var nobody = await scene.Http.GetAsync("/routes"))
            await IsProblemAsync(nobody, 401);
        using (var health = await scene.Http.GetAsync("/health/ready"))
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        scene.Http.DefaultRequestHeaders.Authorization = new("Bearer", Crm);
        Assert.Equal("crm", (string)Assert.Single((await scene.GetAsync("/routes"))["items"]!.AsArray())!["name"]!);
        using (var theirs = await scene.Http.PostAsJsonAsync("/exports", new { route = "erp" }))
            await IsProblemAsync(theirs, 422);
        var id = (string)(await scene.AskAsync(new { }, "one"))["id"]!;
        await scene.BecomesAsync(id, "delivered");

        scene.Http.DefaultRequestHeaders.Authorization = new("Bearer", Erp);
        using (var hidden = await scene.Http.GetAsync($"/exports/{id}"))
            await IsProblemAsync(hidden, 404);
        using (var kept = await scene.Http.DeleteAsync($"/exports/{id}"))
            await IsProblemAsync(kept, 404);
        Assert.Empty(await scene.ExportsAsync());
        // The same key of another caller is another request.
        Assert.NotEqual(id, (string)(await scene.AskAsync(new { }, "one"))["id"]!);
    }

    [Fact]
    public async Task Lists_are_paged_newest_first()
    {
        await using var scene = await AdapterScene.CreateAsync(items: 10);
        scene.AddRoute("crm", "ar-4");
        await scene.StartAsync();
        var asked = new List<string>();
        for (var i = 0; i < 5; i++)
            asked.Add((string)(await scene.AskAsync(new { }))["id"]!);

        var read = new List<string>();
        string? cursor = null;
        do
        {
            var page = await scene.GetAsync($"/exports?limit=2{(cursor is null ? "" : "&cursor=" + cursor)}");
            read.AddRange(page["items"]!.AsArray().Select(each => (string)each!["id"]!));
            cursor = (string?)page["nextCursor"];
        }
        while (cursor is not null);

        asked.Reverse();
        Assert.Equal(asked, read);
        await Eventually.TrueAsync(
            async () => (int?)(await scene.GetAsync("/routes"))["items"]![0]!["states"]!["delivered"] == 5);
    }

    private static async Task IsProblemAsync(HttpResponseMessage response, int status)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{response.RequestMessage!.Method} "
            + $"{response.RequestMessage.RequestUri}: {(int)response.StatusCode}, not {status}. {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.NotEmpty(System.Text.Json.JsonSerializer.Deserialize<Problem>(text, ClaimCheckJson.Options)!.Code);
    }
}
